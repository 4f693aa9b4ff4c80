// SPDX-License-Identifier: Apache-2.0
// Strict reading, canonical writing, and whole error texts.
#include "builder/base/json.h"

#include "builder/base/error.h"

#include <gtest/gtest.h>

namespace img {
namespace {

std::string error_of(std::string_view text, JsonLimits limits = {}) {
  try {
    parse_json(text, "x.json", limits);
  } catch (const InputError& error) {
    return error.render();
  }
  return "no error";
}

template <typename Body>
std::string error_from(Body&& body) {
  try {
    body();
  } catch (const InputError& error) {
    return error.render();
  }
  return "no error";
}

TEST(Json, ReadsAllKinds) {
  const Json value = parse_json(
      R"( {"b": [1, -2, 3.5, true, null, "\u00e4\n", {}], "a": {"c": []}, "z": 1e3} )", "x");
  EXPECT_EQ(canonical_json(value),
            "{\"a\":{\"c\":[]},\"b\":[1,-2,3.5,true,null,\"ä\\n\",{}],\"z\":1000.0}");
  EXPECT_EQ(parse_json("7", "x"), Json(7));
}

TEST(Json, KeepsLargeIntegersExact) {
  EXPECT_EQ(parse_json("18446744073709551615", "x").get<std::uint64_t>(), UINT64_MAX);
  EXPECT_EQ(parse_json("-9223372036854775808", "x").get<std::int64_t>(), INT64_MIN);
}

TEST(Json, WritesPrettyForm) {
  EXPECT_EQ(pretty_json(Json{{"b", 1}, {"a", {1, 2}}}),
            "{\n  \"a\": [\n    1,\n    2\n  ],\n  \"b\": 1\n}\n");
}

TEST(Json, WritingInvalidUtf8IsABug) { EXPECT_THROW(canonical_json(Json("\xff")), InternalError); }

TEST(Json, RefusesDuplicateKeys) {
  EXPECT_EQ(error_of("{\n  \"a\": 1,\n  \"a\\\"b\": 2,\n  \"a\\\"b\" : 3\n}"),
            "error: x.json:4:3: duplicate key 'a\"b'\n"
            "    4 |   \"a\\\"b\" : 3\n"
            "      |   ^~~~~~");
  EXPECT_NE(error_of(R"({"a": {"x": 1}, "b": {"x": 1, "\u0078": 2}})"), "no error");
  EXPECT_EQ(error_of(R"([{"x": 1}, {"x": 1}])"), "no error");
}

TEST(Json, RefusesIntegersThatWouldLoseDigits) {
  EXPECT_EQ(error_of("{\"size\": 18446744073709551616}"),
            "error: x.json:1:10: integer is too large: it needs more than 64 bits\n"
            "    1 | {\"size\": 18446744073709551616}\n"
            "      |          ^~~~~~~~~~~~~~~~~~~~");
  EXPECT_EQ(error_of("-9223372036854775809"),
            "error: x.json:1:1: integer is too large: it needs more than 64 bits\n"
            "    1 | -9223372036854775809\n"
            "      | ^~~~~~~~~~~~~~~~~~~~");
}

TEST(Json, RefusesInfiniteNumbers) {
  EXPECT_EQ(error_of("[1e999]"),
            "error: x.json:1:6: not JSON: number overflow parsing '1e999'\n"
            "    1 | [1e999]\n"
            "      |      ^");
}

TEST(Json, RefusesExcessDepth) {
  EXPECT_EQ(error_of("[[[]]]", {.depth = 3}), "no error");
  EXPECT_EQ(error_of("[[[1, {}]]]", {.depth = 3}),
            "error: x.json:1:7: nested more than 3 levels deep\n"
            "    1 | [[[1, {}]]]\n"
            "      |       ^");
  EXPECT_NE(error_of(std::string(200'000, '[')).find("nested more than 64 levels deep"),
            std::string::npos);
}

TEST(Json, RefusesExcessSize) {
  EXPECT_EQ(error_of("[1,2]", {.bytes = 4}),
            "error: 'x.json' is larger than allowed\n"
            "  limit: 4 bytes\n"
            "  got:   5 bytes");
}

TEST(Json, RefusesTrailingBytes) {
  EXPECT_EQ(error_of("{}\n x"),
            "error: x.json:2:2: not JSON: invalid literal; expected end of input\n"
            "    2 |  x\n"
            "      |  ^");
}

TEST(Json, RefusesInvalidUtf8AndLoneSurrogates) {
  EXPECT_EQ(error_of("[\"a\xff\"]"),
            "error: x.json:1:4: not JSON: invalid string: ill-formed UTF-8 byte\n"
            "    1 | [\"a\\xff\"]\n"
            "      |    ^~~~");
  EXPECT_NE(error_of(R"(["\ud800"])"), "no error");
}

TEST(Json, RefusesOtherNotations) {
  for (const char* bad : {"", " ", "{", "[1,]", "{'a':1}", "{a:1}", "[01]", "[+1]", "[.5]", "[NaN]",
                          "// x\n1", "/* */1", "[1] [2]", "\"\t\"", "\xEF\xBB\xBF{}", "tru"}) {
    EXPECT_NE(error_of(bad).find("x.json:"), std::string::npos) << bad << ": " << error_of(bad);
  }
}

TEST(Json, RefusesNulBytesWhereTheLibraryWouldStopReading) {
  EXPECT_EQ(error_of(std::string_view("{}\0junk", 7)),
            "error: x.json:1:3: not JSON: NUL byte\n"
            "    1 | {}\\x00junk\n"
            "      |   ^~~~");
}

TEST(Json, NamesTheEndOfACutDocument) {
  EXPECT_EQ(
      error_of("{\"a\": [1,"),
      "error: x.json:1:10: not JSON: unexpected end of input; expected '[', '{', or a literal\n"
      "    1 | {\"a\": [1,\n"
      "      |          ^");
}

class JsonReaderTest : public testing::Test {
 protected:
  Json value_ = parse_json(
      R"({"text": "t", "number": 5, "negative": -1, "real": 1.5, "yes": true, "nothing": null,
          "list": ["a", "b"], "mixed": ["a", 1], "object": {"k": 1}})",
      "x");
  JsonReader reader_{value_, "lock.json", "wheels[3]"};
};

TEST_F(JsonReaderTest, ReadsFields) {
  EXPECT_EQ(reader_.string("text"), "t");
  EXPECT_EQ(reader_.unsigned_integer("number"), 5u);
  EXPECT_TRUE(reader_.boolean("yes"));
  EXPECT_EQ(reader_.string_or("nothing", "d"), "d");
  EXPECT_EQ(reader_.string_or("missing", "d"), "d");
  EXPECT_EQ(reader_.string_or("text", "d"), "t");
  EXPECT_EQ(reader_.string_list("list"), (std::vector<std::string>{"a", "b"}));
  EXPECT_TRUE(reader_.string_list("missing").empty());
  EXPECT_EQ(reader_.object("object").at("k"), 1);
  EXPECT_EQ(reader_.array("list").size(), 2u);
  EXPECT_EQ(reader_.find("missing"), nullptr);
}

TEST_F(JsonReaderTest, NamesThePlaceOfWrongKinds) {
  EXPECT_EQ(error_from([&] { reader_.string("number"); }),
            "error: lock.json: wheels[3].number: expected a string, found a number");
  EXPECT_EQ(error_from([&] { reader_.string("missing"); }),
            "error: lock.json: wheels[3]: missing key 'missing'");
  EXPECT_EQ(error_from([&] { reader_.unsigned_integer("negative"); }),
            "error: lock.json: wheels[3].negative: expected an integer >= 0, found -1");
  EXPECT_EQ(error_from([&] { reader_.unsigned_integer("real"); }),
            "error: lock.json: wheels[3].real: expected an integer >= 0, found 1.5");
  EXPECT_EQ(error_from([&] { reader_.unsigned_integer("text"); }),
            "error: lock.json: wheels[3].text: expected an integer >= 0, found a string");
  EXPECT_EQ(error_from([&] { reader_.boolean("nothing"); }),
            "error: lock.json: wheels[3].nothing: expected a boolean, found null");
  EXPECT_EQ(error_from([&] { reader_.string_list("mixed"); }),
            "error: lock.json: wheels[3].mixed[1]: expected a string, found a number");
  EXPECT_EQ(error_from([&] { reader_.object("list"); }),
            "error: lock.json: wheels[3].list: expected an object, found an array");
  EXPECT_EQ(error_from([&] { reader_.array("object"); }),
            "error: lock.json: wheels[3].object: expected an array, found an object");
  const Json list = Json::array();
  EXPECT_EQ(error_from([&] { JsonReader(list, "lock.json", ""); }),
            "error: lock.json: expected an object, found an array");
}

TEST(JsonReader, FinishNamesUnknownKeyAndItsNeighbour) {
  const Json value{{"name", 1}, {"verison", 2}};
  JsonReader reader(value, "lock.json", "");
  reader.find("name");
  reader.find("version");
  EXPECT_EQ(error_from([&] { reader.finish(); }),
            "error: lock.json: unknown key 'verison'\n"
            "hint: did you mean 'version'?");
  reader.find("verison");
  EXPECT_EQ(error_from([&] { reader.finish(); }), "no error");
}

}  // namespace
}  // namespace img
