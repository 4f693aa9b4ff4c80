// SPDX-License-Identifier: Apache-2.0
// The text files of a wheel's dist-info: header fields and console scripts.
#include "builder/inputs/wheel_metadata.h"

#include "builder/base/error.h"
#include "builder/base/text.h"

#include <algorithm>
#include <map>

namespace img {
namespace {

constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";

/// Takes the next line, without its ending, off `text`.
std::string_view take_line(std::string_view& text) {
  const std::size_t end = std::min(text.find('\n'), text.size());
  std::string_view line = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

InputError script_error(const std::string& name, std::string_view script, const std::string& rule) {
  return InputError("'" + printable(name) + "': script '" + printable(script) +
                    "' of entry_points.txt " + rule);
}

/// A dotted name that is safe to write into a Python program.
bool is_dotted_name(std::string_view text) {
  const auto is_word = [](char c) {
    return c == '_' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           static_cast<unsigned char>(c) >= 0x80;
  };
  const auto parts = split(text, '.');
  return is_valid_utf8(text) && std::all_of(parts.begin(), parts.end(), [&](const auto& part) {
           return !part.empty() && std::all_of(part.begin(), part.end(), is_word);
         });
}

bool is_file_name(std::string_view name) {
  const bool printable_only = std::none_of(name.begin(), name.end(), [](char c) {
    return static_cast<unsigned char>(c) < 0x20 || c == 0x7f || c == '/' || c == '\\';
  });
  return printable_only && !name.empty() && name != "." && name != ".." && name.size() <= 255 &&
         is_valid_utf8(name);
}

/// "module:attr [extras]", where the extras say nothing about the script itself.
ConsoleScript parse_script(std::string_view script, std::string_view value,
                           const std::string& wheel) {
  if (!is_file_name(script)) throw script_error(wheel, script, "has a name that is no file name");
  if (is_whiteout_name(script))
    throw script_error(wheel, script, "is named like a removal mark of image layers");
  if (is_interpreter_name(script))
    throw script_error(wheel, script, "would replace the interpreter");
  std::string_view target = trim(value.substr(0, value.find('[')));
  const std::size_t colon = target.find(':');
  if (colon == std::string_view::npos)
    throw script_error(
        wheel, script,
        "names no callable: expected 'module:attribute', got '" + printable(value) + "'");
  ConsoleScript result;
  result.name = script;
  result.module = trim(target.substr(0, colon));
  result.attribute = trim(target.substr(colon + 1));
  if (!is_dotted_name(result.module) || !is_dotted_name(result.attribute))
    throw script_error(wheel, script,
                       "does not name a Python callable: got '" + printable(value) + "'");
  return result;
}

}  // namespace

bool is_interpreter_name(std::string_view name) {
  if (name == "python" || name == "pythonw" || name == "python3") return true;
  return name.starts_with("python3.") && parse_decimal(name.substr(8)).has_value();
}

bool is_whiteout_name(std::string_view segment) { return segment.starts_with(".wh."); }

std::vector<HeaderField> parse_header_fields(std::string_view text) {
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  std::vector<HeaderField> fields;
  while (!text.empty()) {
    const std::string_view line = take_line(text);
    if (trim(line).empty()) break;  // the body follows
    if (line.front() == ' ' || line.front() == '\t') {
      if (!fields.empty()) fields.back().value += "\n" + std::string(line);
      continue;
    }
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos) continue;  // as Python's email parser: defects are ignored
    fields.push_back(
        {to_lower_ascii(trim(line.substr(0, colon))), std::string(trim(line.substr(colon + 1)))});
  }
  return fields;
}

WheelMetadata parse_wheel_metadata(std::string_view text, const std::string& name) {
  if (!is_valid_utf8(text))
    throw InputError("'" + printable(name) + "': its METADATA is not UTF-8");
  WheelMetadata metadata;
  const auto set_once = [](std::string& field, const std::string& value) {
    if (field.empty()) field = value;
  };
  std::string license_expression;
  for (const HeaderField& field : parse_header_fields(text)) {
    if (field.name == "name") set_once(metadata.name, field.value);
    if (field.name == "version") set_once(metadata.version, field.value);
    if (field.name == "requires-python") set_once(metadata.requires_python, field.value);
    if (field.name == "summary") set_once(metadata.summary, field.value);
    if (field.name == "license") set_once(metadata.license, field.value);
    if (field.name == "license-expression") set_once(license_expression, field.value);
    if (field.name == "requires-dist") metadata.requires_dist.push_back(field.value);
  }
  if (!license_expression.empty()) metadata.license = license_expression;
  if (metadata.name.empty())
    throw InputError("'" + printable(name) + "': its METADATA has no Name");
  if (metadata.version.empty())
    throw InputError("'" + printable(name) + "': its METADATA has no Version");
  return metadata;
}

std::vector<ConsoleScript> parse_console_scripts(std::string_view text, const std::string& name) {
  std::map<std::string, ConsoleScript> scripts;
  std::map<std::string, ConsoleScript> gui_scripts;
  std::string section;
  while (!text.empty()) {
    const std::string_view line = trim(take_line(text));
    if (line.empty() || line.front() == '#') continue;
    if (line.front() == '[' && line.back() == ']') {
      section = line.substr(1, line.size() - 2);
      continue;
    }
    if (section != "console_scripts" && section != "gui_scripts") continue;
    const std::size_t equals = line.find('=');
    const std::string script(trim(line.substr(0, equals)));
    if (equals == std::string_view::npos) throw script_error(name, script, "has no value");
    ConsoleScript parsed = parse_script(script, trim(line.substr(equals + 1)), name);
    parsed.gui = section == "gui_scripts";
    (parsed.gui ? gui_scripts : scripts)[script] = std::move(parsed);
  }
  for (auto& [script, parsed] : gui_scripts) scripts[script] = std::move(parsed);
  std::vector<ConsoleScript> sorted;
  for (auto& [script, parsed] : scripts) sorted.push_back(std::move(parsed));
  return sorted;
}

}  // namespace img
