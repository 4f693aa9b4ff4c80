// SPDX-License-Identifier: Apache-2.0
// imgbuild facts: what published torch wheels say, held against the compatibility table.

#include "builder/base/interrupt.h"
#include "builder/base/text.h"
#include "builder/commands/commands.h"
#include "builder/facts/apply.h"
#include "builder/facts/compare.h"

#include <algorithm>
#include <ctime>
#include <memory>

namespace img {
namespace {

struct FactsFlags {
  std::vector<std::string> torch;
  std::string python = "cp311", table, write;
  bool deep = false, check = false;
};

/// A version whose wheel could not be read.
struct Unread {
  std::string torch;
  std::string reason;
  ExitCode code = ExitCode::unavailable;
};

struct Findings {
  std::vector<TorchWheelFacts> read;
  std::vector<Unread> unread;
  std::vector<ComparedFact> rows;

  std::size_t count(FactStatus status) const {
    return static_cast<std::size_t>(
        std::count_if(rows.begin(), rows.end(),
                      [status](const ComparedFact& row) { return row.status == status; }));
  }
  bool has_unread(ExitCode code) const {
    return std::any_of(unread.begin(), unread.end(),
                       [code](const Unread& item) { return item.code == code; });
  }
};

Compatibility load_table(const FactsFlags& flags) {
  const std::string& file = flags.table.empty() ? flags.write : flags.table;
  if (file.empty()) return builtin_compatibility();
  return parse_compatibility(read_file(file), file);
}

/// Those asked for; else all from torch 2.1, where the table's wheels begin to have their libraries
/// as requirements.
std::vector<IndexedVersion> choose(const std::vector<IndexedVersion>& versions,
                                   const FactsFlags& flags, Findings& findings) {
  std::vector<IndexedVersion> chosen;
  for (const IndexedVersion& version : versions) {
    const bool asked =
        std::find(flags.torch.begin(), flags.torch.end(), version.version) != flags.torch.end();
    if (flags.torch.empty() ? compare_dotted(version.version, "2.1") >= 0 : asked) {
      chosen.push_back(version);
    }
  }
  for (const std::string& torch : flags.torch) {
    const auto found =
        std::find_if(chosen.begin(), chosen.end(),
                     [&](const IndexedVersion& version) { return version.version == torch; });
    if (found == chosen.end()) {
      findings.unread.push_back(
          {torch, "the index has no wheel of torch " + printable(torch) + " for Linux on x86_64"});
    }
  }
  return chosen;
}

void read_one(TorchReader& reader, const IndexedVersion& version, const FactsFlags& flags,
              const Compatibility& table, Session& session, Findings& findings) {
  check_interrupt();
  try {
    TorchWheelFacts facts = reader.read(version, flags.python, flags.deep);
    const auto rows = compare_facts(table, facts);
    findings.rows.insert(findings.rows.end(), rows.begin(), rows.end());
    findings.read.push_back(std::move(facts));
  } catch (const InterruptedError&) {
    throw;
  } catch (const InternalError&) {
    throw;
  } catch (const Error& error) {
    session.progress().log("torch " + version.version + ": " + error.what());
    findings.unread.push_back({version.version, error.what(), error.exit_code()});
  }
}

std::string day_of(std::int64_t seconds) { return format_rfc3339(seconds).substr(0, 10); }

Json list_of(const std::vector<ComputeCapability>& list) {
  Json items = Json::array();
  for (const ComputeCapability& item : list) items.push_back(to_string(item));
  return items;
}

Json deep_json(const DeepFacts& deep) {
  return {{"version", deep.version},
          {"cuda", deep.cuda},
          {"platformTag", deep.platform_tag},
          {"glibc", deep.glibc},
          {"glibcxx", deep.glibcxx},
          {"cxxabi", deep.cxxabi},
          {"cxx11Abi", deep.cxx11_abi},
          {"compute", list_of(deep.compute)},
          {"ptx", list_of(deep.ptx)},
          {"singleKernels", deep.single},
          {"fatBinaries", deep.fat_binaries},
          {"limits", deep.limits},
          {"transport", std::string(to_string(deep.transport))},
          {"bytesRead", deep.bytes_read}};
}

Json wheel_json(const TorchWheelFacts& facts) {
  const TorchPins& pins = facts.pins;
  Json json = {{"torch", facts.version},
               {"python", facts.python},
               {"file", facts.file},
               {"sha256", facts.sha256},
               {"size", facts.size},
               {"metadata", facts.metadata_of_index ? "index" : "wheel"},
               {"cudnn", pins.cudnn},
               {"nccl", pins.nccl},
               {"cusparselt", pins.cusparselt},
               {"nvshmem", pins.nvshmem},
               {"triton", pins.triton},
               {"toolkit", pins.toolkit},
               {"components", pins.components}};
  if (facts.deep) json["deep"] = deep_json(*facts.deep);
  return json;
}

Json row_json(const ComparedFact& row) {
  return {{"torch", row.torch}, {"variant", row.variant},
          {"key", row.key},     {"table", row.table},
          {"wheel", row.wheel}, {"status", std::string(to_string(row.status))}};
}

void print_json_answer(Session& session, const Findings& findings, bool check) {
  Json wheels = Json::array(), unread = Json::array(), rows = Json::array();
  for (const TorchWheelFacts& facts : findings.read) wheels.push_back(wheel_json(facts));
  for (const Unread& item : findings.unread) {
    unread.push_back({{"torch", item.torch}, {"reason", item.reason}});
  }
  Json answer = {{"wheels", wheels}, {"unreachable", unread}};
  if (check) {
    for (const ComparedFact& row : findings.rows) rows.push_back(row_json(row));
    answer["values"] = rows;
    answer["confirmed"] = findings.count(FactStatus::confirmed);
    answer["differs"] = findings.count(FactStatus::differs);
    answer["missing"] = findings.count(FactStatus::missing);
  }
  session.print_json(answer);
}

std::string list_text(const std::vector<ComputeCapability>& list) {
  std::vector<std::string> texts;
  for (const ComputeCapability& item : list) texts.push_back(to_string(item));
  return texts.empty() ? "none" : join(texts, " ");
}

void print_wheel(Session& session, const TorchWheelFacts& facts) {
  const TorchPins& pins = facts.pins;
  const auto line = [&](const std::string& name, const std::string& value) {
    if (!value.empty()) session.print("  " + name + std::string(12 - name.size(), ' ') + value);
  };
  session.print("torch " + facts.version + " " + facts.python +
                (facts.sha256.empty() ? "" : " sha256:" + facts.sha256));
  if (facts.deep) line("version", facts.deep->version);
  line("cudnn", pins.cudnn);
  line("nccl", pins.nccl);
  line("cusparselt", pins.cusparselt);
  line("nvshmem", pins.nvshmem);
  line("triton", pins.triton);
  line("toolkit", pins.toolkit);
  for (const auto& [name, version] : pins.components) line(name, version);
  if (!facts.deep) return;
  const DeepFacts& deep = *facts.deep;
  line("glibc", deep.glibc);
  line("glibcxx", deep.glibcxx);
  line("cxxabi", deep.cxxabi);
  line("cxx11_abi", deep.cxx11_abi);
  if (deep.fat_binaries > 0) {
    line("compute", list_text(deep.compute));
    line("ptx", list_text(deep.ptx));
    line("single", join(deep.single, " "));
  }
  for (const std::string& limit : deep.limits) line("not read", limit);
  line("read", human_size(deep.bytes_read) + " by " + std::string(to_string(deep.transport)));
}

void print_differences(Session& session, const Findings& findings) {
  for (const ComparedFact& row : findings.rows) {
    if (row.status == FactStatus::confirmed) continue;
    session.print(
        "torch " + row.torch + (row.variant.empty() ? "" : " " + row.variant) + ": " + row.key +
        " is " + row.wheel +
        (row.table.empty() ? ", the table does not say" : ", the table says " + row.table));
  }
}

void print_summary(Session& session, const Findings& findings) {
  session.print(with_commas(findings.read.size()) + " wheels read, " +
                with_commas(findings.count(FactStatus::confirmed)) + " values confirmed, " +
                with_commas(findings.count(FactStatus::differs)) + " refuted, " +
                with_commas(findings.count(FactStatus::missing)) + " not in the table, " +
                with_commas(findings.unread.size()) + " wheels not read");
}

ExitCode exit_code_of(const Findings& findings, bool check) {
  const bool equal = findings.count(FactStatus::differs) + findings.count(FactStatus::missing) == 0;
  if (check && !equal) return ExitCode::difference;
  for (const ExitCode code : {ExitCode::integrity, ExitCode::usage}) {
    if (findings.has_unread(code)) return code;
  }
  return findings.unread.empty() ? ExitCode::ok : ExitCode::unavailable;
}

ExitCode run_facts(Session& session, const FactsFlags& flags) {
  if (python_of_tag(flags.python).empty()) {
    throw UsageError(ErrorText{.message = "'" + flags.python + "' is no tag of a CPython",
                               .hint = "write e.g. --python cp311"});
  }
  const Compatibility table = load_table(flags);
  const Sources sources = session.sources();
  TorchReader reader(sources, session.store(), session.progress(), {});
  Findings findings;
  for (const IndexedVersion& version : choose(reader.versions(), flags, findings)) {
    read_one(reader, version, flags, table, session, findings);
  }
  if (flags.torch.empty()) {
    const auto rows = compare_pythons(table, reader.versions());
    findings.rows.insert(findings.rows.end(), rows.begin(), rows.end());
  }
  if (!flags.write.empty()) {
    const auto& pages = flags.torch.empty() ? reader.versions() : std::vector<IndexedVersion>{};
    const Compatibility better =
        apply_facts(table, findings.read, pages, day_of(std::time(nullptr)));
    write_file(flags.write, format_compatibility(better));
  }
  if (session.json()) {
    print_json_answer(session, findings, flags.check);
  } else {
    if (!flags.check) {
      for (const TorchWheelFacts& facts : findings.read) print_wheel(session, facts);
    } else {
      print_differences(session, findings);
    }
    for (const Unread& item : findings.unread) {
      session.print("torch " + item.torch + ": not read: " + item.reason);
    }
    if (flags.check) print_summary(session, findings);
  }
  return exit_code_of(findings, flags.check);
}

}  // namespace

void add_facts_command(CLI::App& app, Action& chosen) {
  auto flags = std::make_shared<FactsFlags>();
  CLI::App* command =
      app.add_subcommand("facts", "Read what published torch wheels say of themselves");
  command->add_option("--torch", flags->torch, "This version; repeatable (default: all from 2.1)");
  command->add_option("--python", flags->python, "Tag of the wheels to read (default: cp311)");
  command->add_flag("--deep", flags->deep,
                    "Also the wheel's own version, its libraries' needs and its GPU code");
  command->add_flag("--check", flags->check,
                    "Say what differs from the compatibility table: exit 1");
  command->add_option("--table", flags->table, "This table instead of the one built in");
  command->add_option("--write", flags->write,
                      "Bring this table to what the wheels say, and note them as proof");
  command->callback([flags, &chosen] {
    chosen = [flags](Session& session) { return run_facts(session, *flags); };
  });
}

}  // namespace img
