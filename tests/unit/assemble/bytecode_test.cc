// SPDX-License-Identifier: Apache-2.0
// Bytecode of wheels: equal to compileall's, independent of jobs, kept in the store.
#include "builder/assemble/bytecode.h"

#include "builder/assemble/python_files.h"
#include "builder/base/error.h"
#include "builder/base/process.h"
#include "builder/base/text.h"
#include "builder/layer/deflate_tail.h"
#include "tests/unit/fetch/fetch_world.h"

#include <gtest/gtest.h>

namespace img {
namespace {

const PythonSpec kPython{.path = "/usr/bin/python3.11", .version = "3.11"};
const InstallTarget kTarget{.venv = EntryPath::parse("opt/venv"), .python_version = "3.11"};
const std::string kSite = "/opt/venv/lib/python3.11/site-packages/";

void add_host_file(Tree& tree, const fs::path& path) {
  const auto file = InputFile::open(path);
  tree.put(EntryPath::parse(path.string().substr(1)),
           Entry::file(StoredContent{file, 0, file->size()}, 0755, "host"));
}

/// The Python of this machine as if it were an image's: enough of it to start.
Tree host_python() {
  Tree tree;
  const PythonFileChoice choice(kPython);
  for (const fs::path& folder :
       {fs::path("/usr/bin"), fs::path("/usr/lib/x86_64-linux-gnu"),
        fs::path("/usr/lib/aarch64-linux-gnu"), fs::path("/usr/lib/python3.11"),
        fs::path("/usr/lib/python3.11/encodings")}) {
    if (!fs::is_directory(folder)) continue;
    for (const std::string& name : sorted_names(folder)) {
      const fs::path path = folder / name;
      if (!choice.wants(path.string().substr(1))) continue;
      if (fs::is_symlink(path)) {
        tree.put(EntryPath::parse(path.string().substr(1)),
                 Entry::symlink(fs::read_symlink(path).string(), "host"));
      } else if (fs::is_regular_file(path)) {
        add_host_file(tree, path);
      }
    }
  }
  return tree;
}

using Modules = std::vector<std::pair<std::string, std::string>>;

std::string wheel_of(const Modules& modules) {
  const std::string info = "tiny-1.0.dist-info/";
  Modules members = modules;
  members.emplace_back(info + "METADATA", "Metadata-Version: 2.1\nName: tiny\nVersion: 1.0\n");
  members.emplace_back(
      info + "WHEEL",
      "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n");
  std::string record;
  for (const auto& [path, text] : members) {
    record +=
        path + ",sha256=" + to_base64url(sha256(text)) + "," + std::to_string(text.size()) + "\n";
  }
  members.emplace_back(info + "RECORD", record + info + "RECORD,,\n");
  return test::stored_zip(members);
}

class Bytecode : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!fs::exists(kPython.path)) GTEST_SKIP() << "this machine has no " << kPython.path;
    python_ = ImagePython::from_tree(host_python(), kPython, "host", store_);
  }

  BytecodePack compile(const Modules& modules, int jobs, Store& store) {
    const std::string bytes = wheel_of(modules);
    const fs::path file = dir_.path() / "tiny-1.0-py3-none-any.whl";
    write_file(file, bytes);
    return bytecode_of(Wheel::open(InputFile::open(file), "tiny-1.0-py3-none-any.whl"),
                       Digest::of(bytes), kTarget, *python_, store, jobs);
  }

  /// Sources of real code: the standard library's.
  static Modules real_modules() {
    Modules modules;
    for (const char* folder : {"json", "asyncio", "email"}) {
      for (const std::string& name : sorted_names(fs::path("/usr/lib/python3.11") / folder)) {
        const fs::path path = fs::path("/usr/lib/python3.11") / folder / name;
        if (path.extension() != ".py" || !fs::is_regular_file(path)) continue;
        modules.emplace_back("real" + std::string(folder) + "/" + name, read_file(path));
      }
    }
    return modules;
  }

  /// What `compileall` makes of the same sources at the same paths; hash randomisation is left on.
  std::map<std::string, std::string> by_compileall(const Modules& modules) {
    const fs::path root = dir_.path() / "root";
    for (const auto& [name, text] : modules) {
      const fs::path file = root / (kSite + name).substr(1);
      create_folders(file.parent_path());
      write_file(file, text);
    }
    run_process({.argv = {kPython.path, "-B", "-I", "-m", "compileall", "-q", "--invalidation-mode",
                          "checked-hash", "-o", "0", "-s", root.string(), "-p", "/", root.string()},
                 .env = {{"LC_ALL", "C.UTF-8"}}});
    std::map<std::string, std::string> result;
    for (const auto& [name, text] : modules) {
      const fs::path file = root / (kSite + name).substr(1);
      const fs::path compiled =
          file.parent_path() / "__pycache__" / (file.stem().string() + ".cpython-311.pyc");
      if (fs::exists(compiled)) result[kSite + name] = read_file(compiled);
    }
    return result;
  }

  static std::map<std::string, std::string> plain(const BytecodePack& pack) {
    std::map<std::string, std::string> result;
    for (const auto& [path, content] : pack.by_source) result[path] = read_content(content);
    return result;
  }

  bool is_same_code(const std::string& a, const std::string& b) {
    write_file(dir_.path() / "a.pyc", a);
    write_file(dir_.path() / "b.pyc", b);
    return run_process(
               {.argv = {kPython.path, "-I", "-c",
                         "import marshal, sys\n"
                         "a, b = (marshal.loads(open(n, 'rb').read()[16:]) for n in sys.argv[1:])\n"
                         "sys.exit(a != b)",
                         (dir_.path() / "a.pyc").string(), (dir_.path() / "b.pyc").string()},
                .env = {{"LC_ALL", "C.UTF-8"}}})
               .exit_code == 0;
  }

  TempDir dir_{fs::temp_directory_path(), "bytecode-test-"};
  Store store_{dir_.path() / "store"};
  std::unique_ptr<ImagePython> python_;
};

TEST_F(Bytecode, is_what_compileall_makes) {
  const Modules modules = real_modules();
  ASSERT_GT(modules.size(), 50u);
  const auto ours = plain(compile(modules, 2, store_));
  const auto theirs = by_compileall(modules);
  ASSERT_EQ(ours.size(), theirs.size());
  std::size_t equal = 0;
  for (const auto& [path, bytes] : theirs) {
    const std::string& made = ours.at(path);
    EXPECT_TRUE(made.substr(0, 16) == bytes.substr(0, 16)) << path;
    if (made == bytes) {
      ++equal;
    } else {
      // Equal constants may share an object in one and not in the other.
      EXPECT_TRUE(is_same_code(made, bytes)) << path;
    }
  }
  EXPECT_GE(equal * 50, theirs.size() * 49);
}

TEST_F(Bytecode, does_not_depend_on_the_sources_before_it) {
  const std::string source = "x = '\xc3\xa9', '*', {'get_attr', 'placeholder'}, '\xc3\x97'\n";
  const Modules alone = {{"z.py", source}};
  const Modules after = {{"a.py", "from os import *\n\xc3\xa9 = get_attr = placeholder = 1\n"},
                         {"b.py", "def f(\xc3\xa9, placeholder): return f.get_attr\n"},
                         {"z.py", source}};
  const std::string path = kSite + "z.py";
  EXPECT_TRUE(plain(compile(alone, 1, store_)).at(path) ==
              plain(compile(after, 1, store_)).at(path));
}

TEST_F(Bytecode, is_checked_hash) {
  const auto compiled = plain(compile({{"m.py", "x = 1\n"}}, 1, store_));
  const std::string& bytes = compiled.at(kSite + "m.py");
  EXPECT_EQ(bytes.substr(4, 4), std::string("\x03\0\0\0", 4));
}

TEST_F(Bytecode, pack_does_not_depend_on_jobs) {
  const Modules modules = real_modules();
  Store other(dir_.path() / "other-store");
  const BytecodePack one = compile(modules, 1, store_);
  const BytecodePack four = compile(modules, 4, other);
  EXPECT_EQ(read_file(one.file->path()), read_file(four.file->path()));
}

TEST_F(Bytecode, sources_that_do_not_compile_are_absent) {
  const Modules modules = {
      {"bad.py", "def f(:\n"},
      {"deep.py", "x = " + std::string(5000, '(') + std::string(5000, ')') + "\n"},
      {"empty.py", ""},
      {"latin.py", "# -*- coding: latin-1 -*-\nx = 'caf\xe9'\n"},
      {"nul.py", std::string("x = 1\0\n", 7)},
      {"sum.py", "x = " + std::string(100000, '-') + "1\n"},
      {"unknown.py", "# -*- coding: no-such-codec -*-\n"},
      {"utf8.py", "x = 'café'\n"},
      {"warns.py", "x = 1 is 1\ny = '\\d'\n"}};
  const BytecodePack pack = compile(modules, 1, store_);
  std::vector<std::string> compiled;
  for (const auto& [path, content] : pack.by_source) compiled.push_back(path.substr(kSite.size()));
  EXPECT_EQ(compiled, (std::vector<std::string>{"empty.py", "latin.py", "utf8.py", "warns.py"}));
  EXPECT_FALSE(pack.find(kSite + "bad.py"));
  EXPECT_TRUE(pack.find(kSite + "empty.py"));
  const auto theirs = by_compileall(modules);
  EXPECT_EQ(plain(pack), theirs);
}

TEST_F(Bytecode, a_wheel_without_sources_has_none) {
  EXPECT_TRUE(compile({{"data.txt", "x"}}, 1, store_).by_source.empty());
}

TEST_F(Bytecode, is_taken_from_the_store_the_second_time) {
  const auto first = plain(compile({{"m.py", "x = 1\n"}}, 1, store_));
  // This one could not compile anything.
  python_ = ImagePython::from_tree(Tree(), kPython, "host", store_);
  EXPECT_EQ(plain(compile({{"m.py", "x = 1\n"}}, 1, store_)), first);
}

TEST_F(Bytecode, is_made_anew_when_its_blob_is_gone) {
  const BytecodePack first = compile({{"m.py", "x = 1\n"}}, 1, store_);
  const auto expected = plain(first);
  fs::remove(first.file->path());
  EXPECT_EQ(plain(compile({{"m.py", "x = 1\n"}}, 1, store_)), expected);
}

TEST_F(Bytecode, last_blocks_are_where_the_pack_says) {
  const BytecodePack pack = compile({{"m.py", "x = 1\n"}}, 1, store_);
  const DeflatedContent& content = pack.by_source.begin()->second;
  DeflatedContent unknown = content;
  unknown.last_block_bit.reset();
  EXPECT_EQ(content.last_block_bit, last_block_by_walking(unknown));
}

TEST_F(Bytecode, an_image_without_its_python_is_unavailable) {
  python_ = ImagePython::from_tree(Tree(), kPython, "none", store_);
  try {
    compile({{"m.py", "x = 1\n"}}, 1, store_);
    FAIL() << "accepted";
  } catch (const UnavailableError& error) {
    EXPECT_EQ(error.text().message, "no file of the image is its Python '/usr/bin/python3.11'");
  }
}

TEST_F(Bytecode, reads_no_module_of_this_machine) {
  const fs::path script = dir_.path() / "where.py";
  write_file(script, "import sys, os\nprint(sys.path[1:], sys.prefix, os.__file__, sep='\\n')\n");
  write_file(dir_.path() / "empty", "");
  python_->run(script, dir_.path() / "empty", dir_.path() / "out");
  const std::string out = read_file(dir_.path() / "out");
  for (const std::string& line : split(out, '\n')) {
    EXPECT_EQ(line.find("'/usr/"), std::string::npos) << line;
    EXPECT_FALSE(line.starts_with("/usr/")) << line;
  }
}

// ---- which files, and where links lead ----

TEST(PythonFileChoice, wants_what_starting_needs) {
  const PythonFileChoice choice(kPython);
  for (const char* path :
       {"usr/bin/python3.11", "usr/lib/python3.11/os.py", "usr/lib/python3.11/encodings/utf_8.py",
        "usr/lib/x86_64-linux-gnu/libc.so.6", "usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2",
        "usr/lib64/ld-linux-x86-64.so.2"}) {
    EXPECT_TRUE(choice.wants(path)) << path;
  }
  for (const char* path :
       {"usr/bin/perl", "usr/lib/python3.11/test/x.py", "usr/lib/python3.12/os.py",
        "usr/lib/python3.11/config-3.11-x/a", "usr/lib/x86_64-linux-gnu/libssl.so.3",
        "usr/lib/x86_64-linux-gnu/gconv/libc.so", "etc/passwd"}) {
    EXPECT_FALSE(choice.wants(path)) << path;
  }
  EXPECT_EQ(PythonFileChoice::merged_usr("lib64/ld-linux-x86-64.so.2"),
            "usr/lib64/ld-linux-x86-64.so.2");
  EXPECT_EQ(PythonFileChoice::merged_usr("library/x"), "library/x");
}

TEST(PythonUnpacker, never_writes_through_a_link_of_the_image) {
  const TempDir dir(fs::temp_directory_path(), "unpacker-test-");
  const fs::path root = dir.path() / "root";
  create_folders(root);
  PythonUnpacker unpacker(root, kPython);
  const auto take = [&](const std::string& path, const Entry& entry, const std::string& text) {
    ViewSource body(as_bytes(text));
    unpacker.take(EntryPath::parse(path), entry, body);
  };
  const Entry file = Entry::file(literal(""), 0755, "test");
  take("usr/lib/python3.11/evil", Entry::symlink(dir.path().string(), "test"), "");
  take("usr/lib/python3.11/evil/escaped", file, "x");
  take("usr/lib/python3.11/up", Entry::symlink("../../../../../etc/passwd", "test"), "");
  take("usr/bin/python3.11", Entry::symlink("python3.11.real", "test"), "");
  take("usr/bin/python3.11.real", file, "interpreter");
  take("lib/x86_64-linux-gnu/ld-linux-x86-64.so.2", file, "loader");
  take("lib64/ld-linux-x86-64.so.2",
       Entry::symlink("/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2", "test"), "");
  take("usr/lib/python3.11/loop", Entry::symlink("loop", "test"), "");
  unpacker.finish();
  EXPECT_FALSE(fs::exists(dir.path() / "escaped"));
  EXPECT_FALSE(fs::exists(root / "usr/lib/python3.11/up"));
  EXPECT_EQ(read_file(unpacker.interpreter()), "interpreter");
  EXPECT_EQ(read_file(root / "usr/lib64/ld-linux-x86-64.so.2"), "loader");
  for (const auto& entry : fs::recursive_directory_iterator(root)) {
    EXPECT_FALSE(entry.is_symlink()) << entry.path();
  }
}

}  // namespace
}  // namespace img
