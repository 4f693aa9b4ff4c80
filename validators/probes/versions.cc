// SPDX-License-Identifier: Apache-2.0
// Asks the libraries of CUDA, cuDNN and NCCL, and the driver, for their versions; each in a child.
//
//   versions [--library FILE]… [--torch FOLDER] [--prefix FOLDER]
//
// A library is the given file of that name, else the one in torch's neighbourhood, else what the
// loader finds by its name. Events: library {library, path, found, error, stand_in}; call {library,
// function, rc, value | version}; no_symbol {library, function}; not_asked {library, reason};
// child.
#include "validators/probes/arguments.h"
#include "validators/probes/child.h"
#include "validators/probes/events.h"
#include "validators/probes/library.h"

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include <dirent.h>
#include <dlfcn.h>

namespace probe {
namespace {

constexpr std::chrono::seconds kTimeout{20};

/// How a function is called and what its answer looks like.
enum class Form {
  returns_size,    ///< size_t f(void): the answer itself
  returns_status,  ///< int f(void): a return code, no answer
  writes_int,      ///< int f(int*)
  handle_int,      ///< int f(NULL, int*)
  writes_two,      ///< int f(int*, int*): major and minor
  property,        ///< int f(which, int*), which = 0 major, 1 minor, 2 patch
  unique_id,       ///< int f(char[128])
  takes_zero,      ///< int f(unsigned 0): a return code, no answer
};

struct Question {
  const char* function;
  Form form;
};

struct Subject {
  const char* name;                  ///< in events
  const char* stem;                  ///< file name up to ".so" or "-"
  std::vector<const char*> sonames;  ///< tried in order where no file is known
  std::vector<Question> questions;
  bool needs_driver = false;  ///< its functions must not be called without libcuda.so.1
};

const std::vector<Subject>& subjects() {
  static const std::vector<Subject> kSubjects{
      {"cudart",
       "libcudart",
       {"libcudart.so.13", "libcudart.so.12", "libcudart.so.11.0"},
       {{"cudaRuntimeGetVersion", Form::writes_int},
        {"cudaDriverGetVersion", Form::writes_int},
        {"cudaGetDeviceCount", Form::writes_int}}},
      {"cudnn",
       "libcudnn",
       {"libcudnn.so.9", "libcudnn.so.8"},
       {{"cudnnGetVersion", Form::returns_size},
        {"cudnnGetProperty", Form::property},
        {"cudnnGetCudartVersion", Form::returns_size},
        {"cudnnGetMaxDeviceVersion", Form::returns_size},
        {"cudnnGraphVersionCheck", Form::returns_status},
        {"cudnnOpsVersionCheck", Form::returns_status},
        {"cudnnCnnVersionCheck", Form::returns_status},
        {"cudnnAdvVersionCheck", Form::returns_status}}},
      {"nccl",
       "libnccl",
       {"libnccl.so.2"},
       {{"ncclGetVersion", Form::writes_int}, {"ncclGetUniqueId", Form::unique_id}}},
      {"nvrtc",
       "libnvrtc",
       {"libnvrtc.so.13", "libnvrtc.so.12"},
       {{"nvrtcVersion", Form::writes_two}}},
      {"cublas",
       "libcublas",
       {"libcublas.so.13", "libcublas.so.12"},
       {{"cublasGetProperty", Form::property}, {"cublasGetVersion_v2", Form::handle_int}}},
      {"cublaslt",
       "libcublasLt",
       {"libcublasLt.so.13", "libcublasLt.so.12"},
       {{"cublasLtGetProperty", Form::property},
        {"cublasLtGetVersion", Form::returns_size},
        {"cublasLtGetCudartVersion", Form::returns_size}}},
      {"cufft",
       "libcufft",
       {"libcufft.so.12", "libcufft.so.11"},
       {{"cufftGetProperty", Form::property}, {"cufftGetVersion", Form::writes_int}}},
      {"curand",
       "libcurand",
       {"libcurand.so.10"},
       {{"curandGetProperty", Form::property}, {"curandGetVersion", Form::writes_int}}},
      {"cusolver",
       "libcusolver",
       {"libcusolver.so.12", "libcusolver.so.11"},
       {{"cusolverGetProperty", Form::property}, {"cusolverGetVersion", Form::writes_int}}},
      {"cusparse", "libcusparse", {"libcusparse.so.12"}, {{"cusparseGetProperty", Form::property}}},
      {"cusparselt",
       "libcusparseLt",
       {"libcusparseLt.so.0"},
       {{"cusparseLtGetProperty", Form::property}}},
      {"nvjitlink",
       "libnvJitLink",
       {"libnvJitLink.so.13", "libnvJitLink.so.12"},
       {{"nvJitLinkVersion", Form::writes_two}}},
      {"cufile", "libcufile", {"libcufile.so.0"}, {{"cuFileGetVersion", Form::writes_int}}},
      {"cupti",
       "libcupti",
       {"libcupti.so.13", "libcupti.so.12"},
       {{"cuptiGetVersion", Form::writes_int}},
       // CUPTI 13.2 without a driver: its error handling calls itself until the stack is full.
       true},
      // The driver is never the image's: only the loader may find it.
      {"cuda",
       nullptr,
       {"libcuda.so.1"},
       {{"cuDriverGetVersion", Form::writes_int}, {"cuInit", Form::takes_zero}}},
      {"nvml", nullptr, {"libnvidia-ml.so.1"}, {{"nvmlInit_v2", Form::returns_status}}},
  };
  return kSubjects;
}

Event call_event(const Subject& subject, const Question& question, std::int64_t rc) {
  Event event("call");
  event.text("library", subject.name).text("function", question.function).integer("rc", rc);
  return event;
}

void ask_property(const Subject& subject, const Question& question, void* symbol) {
  auto* const get = reinterpret_cast<int (*)(int, int*)>(symbol);
  std::array<int, 3> parts{};
  for (int which = 0; which < 3; ++which) {
    const int rc = get(which, &parts[static_cast<std::size_t>(which)]);
    if (rc != 0) return call_event(subject, question, rc).emit();
  }
  call_event(subject, question, 0)
      .text("version", std::to_string(parts[0]) + "." + std::to_string(parts[1]) + "." +
                           std::to_string(parts[2]))
      .emit();
}

void ask(const Subject& subject, const Question& question, void* symbol) {
  int value = -1;
  int other = -1;
  switch (question.form) {
    case Form::returns_size: {
      const auto answer = reinterpret_cast<std::size_t (*)()>(symbol)();
      call_event(subject, question, 0).integer("value", static_cast<std::int64_t>(answer)).emit();
      break;
    }
    case Form::returns_status:
      call_event(subject, question, reinterpret_cast<int (*)()>(symbol)()).emit();
      break;
    case Form::takes_zero:
      call_event(subject, question, reinterpret_cast<int (*)(unsigned)>(symbol)(0)).emit();
      break;
    case Form::writes_int: {
      const int rc = reinterpret_cast<int (*)(int*)>(symbol)(&value);
      call_event(subject, question, rc).integer("value", value).emit();
      break;
    }
    case Form::handle_int: {
      const int rc = reinterpret_cast<int (*)(void*, int*)>(symbol)(nullptr, &value);
      call_event(subject, question, rc).integer("value", value).emit();
      break;
    }
    case Form::writes_two: {
      const int rc = reinterpret_cast<int (*)(int*, int*)>(symbol)(&value, &other);
      call_event(subject, question, rc)
          .text("version", std::to_string(value) + "." + std::to_string(other))
          .emit();
      break;
    }
    case Form::property:
      ask_property(subject, question, symbol);
      break;
    case Form::unique_id: {
      alignas(16) std::array<char, 256> id{};  // ncclUniqueId has 128 bytes
      call_event(subject, question, reinterpret_cast<int (*)(char*)>(symbol)(id.data())).emit();
      break;
    }
  }
}

void report_library(const Subject& subject, const std::string& path, const char* found,
                    const std::string& error, bool stand_in) {
  Event("library")
      .text("library", subject.name)
      .text("path", path)
      .text("found", found)
      .text("error", error)
      .flag("stand_in", stand_in)
      .emit();
}

int ask_all(const Subject& subject, const Library& library, const std::string& path,
            const char* found) {
  // Fake libraries of tests say what they are: they satisfy no gate.
  const bool stand_in = library.symbol("imgcheck_stand_in") != nullptr;
  report_library(subject, path, found, library.error(), stand_in);
  if (library.loaded() && subject.needs_driver &&
      !Library("libcuda.so.1", RTLD_NOW | RTLD_LOCAL).loaded()) {
    Event("not_asked")
        .text("library", subject.name)
        .text("reason", "it needs the driver, and there is none")
        .emit();
    return 0;
  }
  for (const Question& question : subject.questions) {
    void* const symbol = library.symbol(question.function);
    if (symbol != nullptr) {
      ask(subject, question, symbol);
    } else if (library.loaded()) {
      Event("no_symbol").text("library", subject.name).text("function", question.function).emit();
    }
  }
  return 0;
}

int ask_file(const Subject& subject, const std::string& path, const char* found) {
  return ask_all(subject, Library(path, RTLD_NOW | RTLD_LOCAL), path, found);
}

int ask_loader(const Subject& subject) {
  std::string error;
  for (const char* soname : subject.sonames) {
    const Library library(soname, RTLD_NOW | RTLD_LOCAL);
    if (library.loaded()) return ask_all(subject, library, library.path(), "loader");
    error = library.error();
    // A file that is there and does not load is something else than no file.
    if (error.find("cannot open shared object file") == std::string::npos) {
      report_library(subject, soname, "loader", error, false);
      return 0;
    }
  }
  report_library(subject, "", "nowhere", subject.stem == nullptr ? error : "", false);
  return 0;
}

std::vector<std::string> entries_of(const std::string& folder) {
  std::vector<std::string> names;
  DIR* const stream = ::opendir(folder.c_str());
  if (stream == nullptr) return names;
  while (const dirent* const entry = ::readdir(stream)) {
    const std::string name = entry->d_name;
    if (name != "." && name != "..") names.push_back(folder + "/" + name);
  }
  ::closedir(stream);
  std::sort(names.begin(), names.end());
  return names;
}

/// Shared libraries of torch and of the NVIDIA wheels of one site-packages.
void add_site(const std::string& site, std::vector<std::string>& files) {
  for (const std::string& package : entries_of(site + "/nvidia")) {
    for (const std::string& file : entries_of(package + "/lib")) files.push_back(file);
  }
  for (const std::string& file : entries_of(site + "/torch/lib")) files.push_back(file);
}

std::vector<std::string> nearby_files(const Arguments& arguments) {
  std::vector<std::string> files;
  if (const std::string torch = arguments.one("torch"); !torch.empty()) {
    add_site(torch.substr(0, torch.rfind('/')), files);
  }
  if (const std::string prefix = arguments.one("prefix"); !prefix.empty()) {
    for (const std::string& folder : entries_of(prefix + "/lib")) {
      if (!base_name(folder).starts_with("python3")) continue;
      add_site(folder + "/site-packages", files);
      add_site(folder + "/dist-packages", files);
    }
  }
  return files;
}

/// "libcusparseLt.so.0" and "libcusparseLt-f80c68d1.so.0" are of the stem "libcusparseLt";
/// "libnvrtc.alt.so.12" and "libnvrtc-builtins.so.12.8" are other libraries.
bool is_of_stem(std::string_view path, std::string_view stem) {
  std::string_view rest = base_name(path);
  if (!rest.starts_with(stem)) return false;
  rest.remove_prefix(stem.size());
  if (rest.starts_with("-")) {  // the hash that auditwheel gives a vendored library
    const std::size_t end = std::min(rest.find_first_not_of("0123456789abcdef", 1), rest.size());
    if (end != 9) return false;
    rest.remove_prefix(end);
  }
  return rest.starts_with(".so");
}

std::string file_of(const Subject& subject, const std::vector<std::string>& files) {
  if (subject.stem == nullptr) return {};
  for (const std::string& file : files) {
    if (is_of_stem(file, subject.stem)) return file;
  }
  return {};
}

ChildEnd ask_in_child(const Subject& subject, const std::vector<std::string>& given,
                      const std::vector<std::string>& nearby) {
  const std::string argument = file_of(subject, given);
  const std::string neighbour = argument.empty() ? file_of(subject, nearby) : "";
  return run_forked(
      [&] {
        if (!argument.empty()) return ask_file(subject, argument, "argument");
        if (!neighbour.empty()) return ask_file(subject, neighbour, "site-packages");
        return ask_loader(subject);
      },
      kTimeout);
}

}  // namespace
}  // namespace probe

int main(int argc, char** argv) {
  using namespace probe;
  const Arguments arguments(argc, argv, {"library", "torch", "prefix"});
  start("versions");
  const std::vector<std::string> given = arguments.all("library");
  const std::vector<std::string> nearby = nearby_files(arguments);
  for (const Subject& subject : subjects()) {
    report(subject.name, ask_in_child(subject, given, nearby));
  }
  probe::end();
  return 0;
}
