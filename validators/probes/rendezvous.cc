// SPDX-License-Identifier: Apache-2.0
// Rendezvous over a folder and over loopback TCP, each with a deadline.
#include "validators/probes/rendezvous.h"

#include "validators/probes/events.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

#include <arpa/inet.h>
#include <dirent.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

namespace probe {
namespace {

std::string failed(const char* what) { return std::string(what) + ": " + std::strerror(errno); }

void pause_shortly() {
  const timespec time{0, 1'000'000};
  ::nanosleep(&time, nullptr);
}

std::string name_ranks(const std::vector<int>& ranks) {
  std::string text;
  for (const int rank : ranks) text += (text.empty() ? "" : ", ") + std::to_string(rank);
  return text;
}

class FileRendezvous final : public Rendezvous {
 public:
  FileRendezvous() : owner_(::getpid()) {
    for (const char* parent : {"/tmp", "/dev/shm"}) {
      std::string pattern = std::string(parent) + "/imgcheck-XXXXXX";
      if (::mkdtemp(pattern.data()) == nullptr) continue;
      folder_ = pattern;
      break;
    }
  }
  ~FileRendezvous() override {
    if (::getpid() != owner_ || folder_.empty()) return;
    if (DIR* const stream = ::opendir(folder_.c_str())) {
      while (const dirent* const entry = ::readdir(stream)) {
        ::unlinkat(::dirfd(stream), entry->d_name, 0);
      }
      ::closedir(stream);
    }
    ::rmdir(folder_.c_str());
  }

  std::string meet(int rank, int ranks, UniqueId& id, std::int64_t deadline_ns) override {
    if (folder_.empty()) return "no folder that can be written";
    if (rank == 0) {
      if (const std::string problem = publish("id", id.data(), id.size()); !problem.empty()) {
        return problem;
      }
    } else if (!wait_for_file("id", deadline_ns)) {
      return "rank 0 gave no id in time";
    } else if (!read_id(id)) {
      return "the id of rank 0 cannot be read";
    }
    const std::uint8_t here = 1;
    if (const std::string problem = publish("rank-" + std::to_string(rank), &here, 1);
        !problem.empty()) {
      return problem;
    }
    return wait_for_all(ranks, deadline_ns);
  }

 private:
  std::string path(const std::string& name) const { return folder_ + "/" + name; }

  /// Whole under its name, or not at all.
  std::string publish(const std::string& name, const std::uint8_t* bytes, std::size_t size) const {
    const std::string temporary = path(name) + ".new";
    const int file =
        ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, S_IRUSR | S_IWUSR);
    if (file < 0) return failed("cannot write a file of the rendezvous");
    const bool written = ::write(file, bytes, size) == static_cast<ssize_t>(size);
    ::close(file);
    if (!written || ::rename(temporary.c_str(), path(name).c_str()) != 0) {
      return failed("cannot write a file of the rendezvous");
    }
    return {};
  }

  bool wait_for_file(const std::string& name, std::int64_t deadline_ns) const {
    while (::access(path(name).c_str(), F_OK) != 0) {
      if (monotonic_ns() > deadline_ns) return false;
      pause_shortly();
    }
    return true;
  }

  bool read_id(UniqueId& id) const {
    const int file = ::open(path("id").c_str(), O_RDONLY | O_CLOEXEC);
    if (file < 0) return false;
    const bool whole = ::read(file, id.data(), id.size()) == static_cast<ssize_t>(id.size());
    ::close(file);
    return whole;
  }

  std::string wait_for_all(int ranks, std::int64_t deadline_ns) const {
    std::vector<int> absent;
    for (int rank = 0; rank < ranks; ++rank) {
      if (!wait_for_file("rank-" + std::to_string(rank), deadline_ns)) absent.push_back(rank);
    }
    return absent.empty() ? "" : "did not come in time: rank " + name_ranks(absent);
  }

  pid_t owner_;
  std::string folder_;
};

/// Reads or writes exactly `size` bytes before the deadline.
template <typename Transfer, typename Byte>
bool transfer(Transfer move, int socket, short direction, Byte* bytes, std::size_t size,
              std::int64_t deadline_ns) {
  while (size > 0) {
    const std::int64_t left = (deadline_ns - monotonic_ns()) / 1'000'000;
    pollfd ready{socket, direction, 0};
    if (left <= 0 || ::poll(&ready, 1, static_cast<int>(left)) <= 0) return false;
    const ssize_t moved = move(socket, bytes, size, MSG_NOSIGNAL);
    if (moved <= 0) return false;
    bytes += moved;
    size -= static_cast<std::size_t>(moved);
  }
  return true;
}

class TcpRendezvous final : public Rendezvous {
 public:
  TcpRendezvous() : listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    address_.sin_family = AF_INET;
    address_.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(address_);
    auto* const address = reinterpret_cast<sockaddr*>(&address_);
    if (listener_ < 0 || ::bind(listener_, address, size) != 0 || ::listen(listener_, 64) != 0 ||
        ::getsockname(listener_, address, &size) != 0) {
      problem_ = failed("cannot listen on the loopback interface");
    }
  }
  ~TcpRendezvous() override { ::close(listener_); }

  std::string meet(int rank, int ranks, UniqueId& id, std::int64_t deadline_ns) override {
    if (!problem_.empty()) return problem_;
    return rank == 0 ? serve(ranks, id, deadline_ns) : join(rank, id, deadline_ns);
  }

 private:
  /// Gives the id to everybody only when everybody is there.
  std::string serve(int ranks, const UniqueId& id, std::int64_t deadline_ns) const {
    std::vector<int> sockets(static_cast<std::size_t>(ranks), -1);
    std::vector<int> absent;
    int here = 1;
    while (here < ranks) {
      const int socket = accept_before(deadline_ns);
      if (socket < 0) break;
      std::uint32_t number = 0;
      const bool said = transfer(::recv, socket, POLLIN, reinterpret_cast<std::uint8_t*>(&number),
                                 sizeof(number), deadline_ns);
      const std::uint32_t rank = ntohl(number);
      if (!said || rank == 0 || rank >= static_cast<std::uint32_t>(ranks) || sockets[rank] >= 0) {
        ::close(socket);  // a stranger, or somebody twice
        continue;
      }
      sockets[rank] = socket;
      ++here;
    }
    for (int rank = 1; rank < ranks; ++rank) {
      const int socket = sockets[static_cast<std::size_t>(rank)];
      if (socket < 0) absent.push_back(rank);
    }
    for (const int socket : sockets) {
      if (socket < 0) continue;
      if (absent.empty()) transfer(::send, socket, POLLOUT, id.data(), id.size(), deadline_ns);
      ::close(socket);
    }
    return absent.empty() ? "" : "did not come in time: rank " + name_ranks(absent);
  }

  int accept_before(std::int64_t deadline_ns) const {
    const std::int64_t left = (deadline_ns - monotonic_ns()) / 1'000'000;
    pollfd ready{listener_, POLLIN, 0};
    if (left <= 0 || ::poll(&ready, 1, static_cast<int>(left)) <= 0) return -1;
    return ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
  }

  std::string join(int rank, UniqueId& id, std::int64_t deadline_ns) const {
    const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (socket < 0) return failed("cannot make a socket");
    std::string problem;
    const std::uint32_t number = htonl(static_cast<std::uint32_t>(rank));
    if (::connect(socket, reinterpret_cast<const sockaddr*>(&address_), sizeof(address_)) != 0) {
      problem = failed("cannot connect to rank 0");
    } else if (!transfer(::send, socket, POLLOUT, reinterpret_cast<const std::uint8_t*>(&number),
                         sizeof(number), deadline_ns) ||
               !transfer(::recv, socket, POLLIN, id.data(), id.size(), deadline_ns)) {
      problem = "rank 0 gave no id in time";
    }
    ::close(socket);
    return problem;
  }

  int listener_;
  sockaddr_in address_{};
  std::string problem_;
};

}  // namespace

std::unique_ptr<Rendezvous> file_rendezvous() { return std::make_unique<FileRendezvous>(); }
std::unique_ptr<Rendezvous> tcp_rendezvous() { return std::make_unique<TcpRendezvous>(); }

}  // namespace probe
