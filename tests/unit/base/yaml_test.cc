// SPDX-License-Identifier: Apache-2.0
// Strict YAML: what is read, what is refused, and where the refusal points.
#include "builder/base/yaml.h"

#include <gtest/gtest.h>

namespace img {
namespace {

/// The whole text of the error that parsing gives; "" when it parses.
std::string error_of(const std::string& text) {
  try {
    parse_yaml(text, "m.yaml");
  } catch (const ManifestError& error) {
    return error.render();
  }
  return {};
}

template <typename Body>
std::string error_from(Body&& body) {
  try {
    body();
  } catch (const ManifestError& error) {
    return error.render();
  }
  return {};
}

YamlNode parse(const std::string& text) { return parse_yaml(text, "m.yaml"); }

std::string repeated(const std::string& text, int times) {
  std::string all;
  for (int at = 0; at < times; ++at) all += text;
  return all;
}

TEST(Yaml, ReadsMappingsListsAndScalarsAsText) {
  const YamlNode root = parse("name: x\nlist: [a, \"b c\"]\nnested:\n  - k: v\n");
  EXPECT_EQ(root.kind(), YamlNode::Kind::mapping);
  EXPECT_EQ(root.find("name")->text(), "x");
  EXPECT_EQ(root.find("list")->as_text_list("list"), (std::vector<std::string>{"a", "b c"}));
  EXPECT_EQ(root.find("nested")->items()[0].find("k")->text(), "v");
  EXPECT_EQ(root.find("absent"), nullptr);
}

TEST(Yaml, KeepsEveryScalarAsItIsWritten) {
  for (const char* text : {"3.10", "no", "017", "1e999", "-0", "0x1F", "1_000", "12:30:00", ".inf",
                           "2026-11-25", "True", "y"}) {
    const YamlNode root = parse("v: " + std::string(text));
    EXPECT_EQ(root.find("v")->text(), text);
    EXPECT_FALSE(root.find("v")->is_quoted());
  }
  EXPECT_TRUE(parse("v: \"3.10\"").find("v")->is_quoted());
  EXPECT_TRUE(parse("v: '3.10'").find("v")->is_quoted());
  EXPECT_TRUE(parse("v: |\n  text\n").find("v")->is_quoted());
}

TEST(Yaml, ReadsNothingAsNull) {
  EXPECT_EQ(parse("v:").find("v")->kind(), YamlNode::Kind::null);
  EXPECT_EQ(parse("v: ~").find("v")->kind(), YamlNode::Kind::null);
  EXPECT_EQ(parse("v: null").find("v")->kind(), YamlNode::Kind::null);
  EXPECT_EQ(parse("v: \"null\"").find("v")->text(), "null");
}

TEST(Yaml, ReadsWindowsLineEndsAsPlainOnes) {
  const YamlNode root = parse("a: 1\r\nb: |\r\n  x\r\n  y\r\n");
  EXPECT_EQ(root.find("b")->text(), "x\ny\n");
  EXPECT_EQ(root.find("b")->position().line, 2);
  EXPECT_EQ(root.find("b")->position().source_line, "b: |");
}

TEST(Yaml, KnowsWhereEachNodeStands) {
  const YamlNode root = parse("a:\n  - one\n  - \"two \\\" three\"  # c\n  -   é: x\n");
  const auto& items = root.find("a")->items();
  EXPECT_EQ(items[0].position().line, 2);
  EXPECT_EQ(items[0].position().column, 5);
  EXPECT_EQ(items[0].position().width, 3);
  EXPECT_EQ(items[1].position().width, 14);
  EXPECT_EQ(items[2].find("é")->position().column, 11);  // bytes, not characters
}

TEST(Yaml, AllowsTabsInsideValuesAndBlockText) {
  EXPECT_EQ(parse("a: \"x\ty\"").find("a")->text(), "x\ty");
  EXPECT_EQ(parse("a: |\n  all:\n  \tcc x\nb: y\n").find("a")->text(), "all:\n\tcc x\n");
}

TEST(Yaml, RefusesDuplicateKeysHoweverTheyAreWritten) {
  EXPECT_EQ(error_of("a: 1\nb: 2\na: 3\n"),
            "error: m.yaml:3:1: key 'a' is given twice\n"
            "    3 | a: 3\n"
            "      | ^\n"
            "  first: line 1\n"
            "hint: remove one of them");
  EXPECT_NE(error_of("a: 1\n\"a\": 3\n").find("m.yaml:2:1: key 'a' is given twice"),
            std::string::npos);
  EXPECT_NE(error_of("a: 1\n\"\\x61\": 3\n").find("key 'a' is given twice"), std::string::npos);
  EXPECT_NE(error_of("{a: 1, 'a': 3}").find("m.yaml:1:8: key 'a' is given twice"),
            std::string::npos);
}

TEST(Yaml, RefusesAnchorsAliasesAndMerges) {
  EXPECT_EQ(error_of("a: &x 1\n"),
            "error: m.yaml:1:4: an anchor is not allowed\n"
            "    1 | a: &x 1\n"
            "      |    ^\n"
            "hint: write the value out where it is needed");
  EXPECT_NE(error_of("a: *x\n"), "");
  EXPECT_EQ(error_of("a:\n  <<: {b: 1}\n"),
            "error: m.yaml:2:3: a merge key is not allowed\n"
            "    2 |   <<: {b: 1}\n"
            "      |   ^~\n"
            "hint: write the keys out");
}

TEST(Yaml, RefusesBillionLaughsAndCycles) {
  std::string laughs = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int at = 1; at < 9; ++at) {
    const std::string below = "*a" + std::to_string(at - 1);
    laughs += "a" + std::to_string(at) + ": &a" + std::to_string(at) + " [" + below +
              repeated(", " + below, 9) + "]\n";
  }
  EXPECT_NE(error_of(laughs).find("m.yaml:1:5: an anchor is not allowed"), std::string::npos);
  EXPECT_NE(error_of("&a [*a]").find("m.yaml:1:1: an anchor is not allowed"), std::string::npos);
  EXPECT_NE(error_of("&a {b: *a}").find("an anchor is not allowed"), std::string::npos);
}

TEST(Yaml, RefusesTagsOfEveryForm) {
  EXPECT_EQ(error_of("a: !!python/object:os.system x\n"),
            "error: m.yaml:1:4: a tag is not allowed\n"
            "    1 | a: !!python/object:os.system x\n"
            "      |    ^\n"
            "hint: write the plain value");
  for (const char* text : {"a: !x y", "a: ! y", "a: ! \"y\"", "a: !!str 1", "a: !", "a: !<tag:x> y",
                           "!t {a: b}", "a: !t [b]", "!k a: b", "- !!null ~"}) {
    EXPECT_NE(error_of(text).find("a tag is not allowed"), std::string::npos) << text;
  }
}

TEST(Yaml, RefusesDirectivesAndFurtherDocuments) {
  EXPECT_EQ(error_of("%YAML 1.2\n---\na: 1\n"),
            "error: m.yaml:1:1: a directive is not allowed\n"
            "    1 | %YAML 1.2\n"
            "      | ^\n"
            "hint: remove it");
  EXPECT_NE(error_of("# c\n%TAG ! x\n---\na: 1\n").find("m.yaml:2:1: a directive"),
            std::string::npos);
  EXPECT_EQ(error_of("---\na: 1\n"), "");
  EXPECT_NE(error_of("a: 1\n---\nb: 2\n").find("a second document is not allowed"),
            std::string::npos);
  EXPECT_NE(error_of("a: 1\n...\n---\nb: 2\n").find("a second document is not allowed"),
            std::string::npos);
  EXPECT_NE(error_of("a: 1\n...\nb: 2\n"), "");
}

TEST(Yaml, RefusesWhatIsNoDocument) {
  EXPECT_EQ(error_of(""), "error: m.yaml:1:1: document is empty");
  EXPECT_EQ(error_of("# only a comment\n"), "error: m.yaml:1:1: document is empty");
  EXPECT_EQ(error_of("a: [1, 2\n").find("error: m.yaml:2:1: text is not YAML: "), 0U);
  for (const char* text : {"a: b: c", "a: 'x", "- a\nb: c", "a: ]", "a: @x", "a: `x", "{a: 1}}"}) {
    EXPECT_NE(error_of(text), "") << text;
  }
}

TEST(Yaml, RefusesQuotedTextWithoutAnEnd) {
  EXPECT_EQ(error_of("a: \"x\nb: y\n"),
            "error: m.yaml:1:4: quoted text has no end\n"
            "    1 | a: \"x\n"
            "      |    ^\n"
            "hint: close it with \"");
  EXPECT_NE(error_of("a: 'it''s\n").find("quoted text has no end"), std::string::npos);
  EXPECT_NE(error_of("a: \"x\\\"\n").find("quoted text has no end"), std::string::npos);
  EXPECT_EQ(parse("a: 'it''s'\n").find("a")->text(), "it's");
  EXPECT_EQ(parse("a: \"x\n  y\"\n").find("a")->text(), "x y");
}

TEST(Yaml, RefusesKeysThatAreNotText) {
  EXPECT_EQ(error_of("? [a]\n: b\n"),
            "error: m.yaml:1:3: a key must be text, found a list\n"
            "    1 | ? [a]\n"
            "      |   ^");
  EXPECT_NE(error_of("? {a: b}\n: c\n").find("a key must be text, found a mapping"),
            std::string::npos);
  EXPECT_NE(error_of(": b\n").find("a key must be text, found nothing"), std::string::npos);
  EXPECT_NE(error_of("~: b\n").find("a key must be text, found nothing"), std::string::npos);
}

TEST(Yaml, RefusesTabsInIndentation) {
  EXPECT_EQ(error_of("a:\n\tb: 1\n"),
            "error: m.yaml:2:1: a tab is not allowed in indentation\n"
            "    2 |  b: 1\n"
            "      | ^\n"
            "hint: indent with spaces");
  EXPECT_NE(error_of("a:\n  - x\n  \t- y\n").find("m.yaml:3:3: a tab is not allowed"),
            std::string::npos);
  EXPECT_NE(error_of("a: |\n  x\nb:\n\tc: d\n").find("m.yaml:4:1: a tab is not allowed"),
            std::string::npos);
}

TEST(Yaml, RefusesOtherEncodings) {
  EXPECT_EQ(error_of("\xef\xbb\xbf"
                     "a: 1\n"),
            "error: m.yaml:1:1: text starts with a byte-order mark\n"
            "    1 | \\xef\\xbb\\xbfa: 1\n"
            "      | ^~~~\n"
            "hint: save the file as UTF-8 without a byte-order mark");
  EXPECT_NE(error_of(std::string("\xff\xfe"
                                 "a\0:\0",
                                 6))
                .find("m.yaml:1:1: text is UTF-16"),
            std::string::npos);
  EXPECT_NE(error_of(std::string("\xfe\xff\0a\0:", 6)).find("text is UTF-16"), std::string::npos);
  EXPECT_NE(error_of(std::string("a\0:\0 \0b\0", 8)).find("control character '\\x00'"),
            std::string::npos);
  EXPECT_EQ(error_of("a: 1\nb: \xff\n"),
            "error: m.yaml:2:1: line is not UTF-8\nhint: save the file as UTF-8");
}

TEST(Yaml, RefusesControlCharactersWrittenAndEscaped) {
  EXPECT_NE(error_of("a: x\x1b[2J\n").find("m.yaml:1:5: control character '\\x1b' is not allowed"),
            std::string::npos);
  EXPECT_NE(error_of("a: x\rb: y\n").find("control character '\\x0d'"), std::string::npos);
  EXPECT_NE(error_of("a: x\x7f").find("control character '\\x7f'"), std::string::npos);
  EXPECT_NE(error_of("a: x\xc2\x85").find("control character '\\xc2\\x85'"), std::string::npos);
  EXPECT_NE(error_of("a: x\xe2\x80\xa8").find("control character '\\xe2\\x80\\xa8'"),
            std::string::npos);
  EXPECT_NE(error_of("a: \"\\0\"\n").find("m.yaml:1:4: control character '\\x00'"),
            std::string::npos);
  EXPECT_NE(error_of("a: \"\\x1b\"\n").find("control character '\\x1b'"), std::string::npos);
  EXPECT_NE(error_of("a: \"\\N\"\n").find("text is not UTF-8 after its escapes"),
            std::string::npos);
  EXPECT_NE(error_of("a: \"\\ud800\"\n"), "");
}

TEST(Yaml, BoundsDepthInFlowAndBlock) {
  EXPECT_EQ(error_of(repeated("[", 64) + repeated("]", 64)), "");
  EXPECT_NE(error_of(repeated("[", 65) + repeated("]", 65)).find("nested deeper than 64"),
            std::string::npos);
  EXPECT_NE(error_of(repeated("[", 100'000)), "");
  EXPECT_NE(error_of(repeated("{a: ", 5'000)), "");
  EXPECT_NE(error_of(repeated("{a: ", 5'000) + "x" + repeated("}", 5'000)).find("nested deeper"),
            std::string::npos);
  EXPECT_NE(error_of(repeated("- ", 5'000)).find("nested deeper than 64"), std::string::npos);
  std::string block;
  for (int at = 0; at < 200; ++at) block += std::string(static_cast<std::size_t>(at), ' ') + "a:\n";
  EXPECT_NE(error_of(block).find("nested deeper than 64"), std::string::npos);
}

TEST(Yaml, BoundsValuesAndBytes) {
  EXPECT_NE(error_of("[" + repeated("a,", 100'001) + "]").find("has more than 100,000 values"),
            std::string::npos);
  EXPECT_EQ(error_of("a: " + std::string(10 << 20, 'x')),
            "error: 'm.yaml' is too big for a YAML file of ours\n"
            "  expected: at most 1,048,576 bytes\n"
            "  got:      10,485,763 bytes");
}

TEST(Yaml, ShowsNoExcerptOfVeryLongLines) {
  EXPECT_EQ(error_of("a: " + std::string(500, 'x') + "\na: 1\n").size() < 200, true);
  EXPECT_EQ(error_of("{a: 1, b: " + std::string(500, 'x') + ", a: 2}"),
            "error: m.yaml:1:513: key 'a' is given twice\n"
            "  first: line 1\n"
            "hint: remove one of them");
}

TEST(Yaml, SurvivesEveryPrefixAndEveryChangedByteOfADocument) {
  const std::string text =
      "schema: x/v1\nlist: [a, 'b', \"c\\n\"]\nmap:\n  - {k: v}\n  - |\n    block\n   # c\n";
  for (std::size_t at = 0; at < text.size(); ++at) {
    error_of(text.substr(0, at));
    for (const char byte : {'\0', '\t', '\n', '"', '\'', '&', '*',  '!', '%',    '|',    '>',
                            '{',  ']',  ':',  '?', '-',  '#', '\\', '@', '\xff', '\xc2', '\x04'}) {
      std::string changed = text;
      changed[at] = byte;
      error_of(changed);
    }
  }
}

TEST(YamlNode, SaysWhatWasExpectedAndFound) {
  const YamlNode root = parse("t: x\nl: [a, [b]]\nm: {a: b}\nn:\n");
  EXPECT_EQ(error_from([&] { root.find("l")->as_text("key 'l'"); }),
            "error: m.yaml:2:4: expected text for key 'l', found a list\n"
            "    2 | l: [a, [b]]\n"
            "      |    ^");
  EXPECT_EQ(error_from([&] { root.find("t")->as_sequence("key 't'"); }),
            "error: m.yaml:1:4: expected a list for key 't', found text\n"
            "    1 | t: x\n"
            "      |    ^");
  EXPECT_EQ(error_from([&] { root.find("n")->as_mapping("key 'n'"); }),
            "error: m.yaml:4:1: expected a mapping for key 'n', found nothing\n"
            "    4 | n:\n"
            "      | ^");
  EXPECT_EQ(error_from([&] { root.find("l")->as_text_list("key 'l'"); }),
            "error: m.yaml:2:8: expected text for an item of key 'l', found a list\n"
            "    2 | l: [a, [b]]\n"
            "      |        ^");
  EXPECT_EQ(error_from([&] { root.find("t")->as_bool("key 't'"); }),
            "error: m.yaml:1:4: expected true or false for key 't', found 'x'\n"
            "    1 | t: x\n"
            "      |    ^");
}

TEST(YamlNode, TakesOnlyTrueAndFalseAsBooleans) {
  EXPECT_TRUE(parse("b: true").find("b")->as_bool("b"));
  EXPECT_FALSE(parse("b: false").find("b")->as_bool("b"));
  for (const char* text : {"yes", "no", "on", "True", "FALSE", "1", "\"true\"", "~"}) {
    EXPECT_NE(error_from([&] { parse("b: " + std::string(text)).find("b")->as_bool("b"); }), "")
        << text;
  }
}

TEST(YamlReader, NamesMissingAndUnknownKeys) {
  const YamlNode root = parse("kind: wheels\npakages: [numpy]\n");
  EXPECT_EQ(error_from([&] {
              YamlReader reader(root, "layer 'python'");
              reader.text("kind");
              reader.text_list("packages");
              reader.finish();
            }),
            "error: m.yaml:2:1: unknown key 'pakages' in layer 'python'\n"
            "    2 | pakages: [numpy]\n"
            "      | ^~~~~~~\n"
            "hint: did you mean 'packages'?");
  EXPECT_EQ(error_from([&] {
              YamlReader reader(root, "layer 'python'");
              reader.text("suite");
            }),
            "error: m.yaml:1:1: key 'suite' is missing in layer 'python'\n"
            "    1 | kind: wheels\n"
            "      | ^");
  EXPECT_EQ(error_from([&] {
              YamlReader reader(root, "layer 'python'");
              reader.text("kind");
              reader.text_or("venv", "");
              reader.finish();
            }),
            "error: m.yaml:2:1: unknown key 'pakages' in layer 'python'\n"
            "    2 | pakages: [numpy]\n"
            "      | ^~~~~~~\n"
            "hint: known keys: kind, venv");
}

}  // namespace
}  // namespace img
