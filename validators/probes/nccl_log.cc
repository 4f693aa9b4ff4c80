// SPDX-License-Identifier: Apache-2.0
// NCCL's debug log: where it goes, and the lines of its tuner.
#include "validators/probes/nccl_log.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdlib>
#include <string_view>

#include <fcntl.h>
#include <unistd.h>

namespace probe {
namespace {

std::string log_path() { return "/tmp/imgcheck-nccl-" + std::to_string(::getpid()); }

std::string word_after(std::string_view line, std::string_view mark) {
  const std::size_t at = line.find(mark);
  if (at == std::string_view::npos) return {};
  std::size_t end = at + mark.size();
  while (end < line.size() &&
         (std::isalnum(static_cast<unsigned char>(line[end])) != 0 || line[end] == '_')) {
    ++end;
  }
  return std::string(line.substr(at + mark.size(), end - at - mark.size()));
}

template <std::size_t N>
std::string name_in(const std::array<const char*, N>& names, const std::string& word) {
  if (word.size() == 1 && word[0] >= '0' && static_cast<std::size_t>(word[0] - '0') < N) {
    return names[static_cast<std::size_t>(word[0] - '0')];
  }
  return word;
}

constexpr std::array<const char*, 7> kAlgorithms{
    "TREE", "RING", "COLLNET_DIRECT", "COLLNET_CHAIN", "NVLS", "NVLS_TREE", "PAT"};
constexpr std::array<const char*, 3> kProtocols{"LL", "LL128", "SIMPLE"};

}  // namespace

void write_log() {
  ::setenv("NCCL_DEBUG", "INFO", 1);
  ::setenv("NCCL_DEBUG_SUBSYS", "INIT,TUNING", 1);
  ::setenv("NCCL_DEBUG_FILE", log_path().c_str(), 1);
}

std::string own_log() {
  const int file = ::open(log_path().c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return {};
  std::string text;
  std::array<char, 65536> buffer{};
  constexpr std::size_t kMost = 16 << 20;
  for (ssize_t got = 0;
       text.size() < kMost && (got = ::read(file, buffer.data(), buffer.size())) > 0;) {
    text.append(buffer.data(), static_cast<std::size_t>(got));
  }
  ::close(file);
  return text;
}

void remove_log() { ::unlink(log_path().c_str()); }

NcclTuning tuning_of(const std::string& log, std::size_t bytes) {
  const std::string mark = "AllReduce: " + std::to_string(bytes) + " Bytes -> Algo ";
  const std::size_t at = log.rfind(mark);
  if (at == std::string::npos) return {};
  const std::string_view line =
      std::string_view(log).substr(at, std::min(log.find('\n', at), log.size()) - at);
  return {name_in(kAlgorithms, word_after(line, "-> Algo ")),
          name_in(kProtocols, word_after(line, " proto "))};
}

}  // namespace probe
