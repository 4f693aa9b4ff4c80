// SPDX-License-Identifier: Apache-2.0
// Which std::string a mangled name tells of.
#include "validators/elf/string_abi.h"

#include <gtest/gtest.h>

namespace img {
namespace {

bool is_old(std::string_view name) { return string_abi_of(name).old_string; }
bool is_new(std::string_view name) { return string_abi_of(name).new_string; }

TEST(StringAbi, FindsTheOldString) {
  EXPECT_TRUE(is_old("_ZN2at1fERKSs"));         // at::f(std::string const&)
  EXPECT_TRUE(is_old("_ZN3c105ErrorC1ESsSs"));  // c10::Error::Error(string, string)
  EXPECT_TRUE(is_old("_ZN2at1fEiSs"));          // after a built-in type
  EXPECT_TRUE(is_old("_ZN5torch3jit1fElSs"));   // (long, std::string)
  EXPECT_TRUE(is_old("_ZNSt6vectorISsSaISsEE9push_backERKSs"));  // as a template argument
  EXPECT_TRUE(is_old("_ZN3c103FooaSERKSs"));                     // operator=(std::string const&)
  EXPECT_TRUE(is_old("_ZN2at1fILb1ELi3EEEvSs"));                 // behind literals
  EXPECT_TRUE(is_old("_ZN2at1fILN3c1010ScalarTypeE6EEEvSs"));    // behind an enumerator
}

TEST(StringAbi, LettersWithinNamesAreNoString) {
  EXPECT_FALSE(is_old("_ZN2at6SsNameEi"));
  EXPECT_FALSE(is_old("_ZN2at7ClassSsC1Ev"));
  EXPECT_FALSE(is_old("_ZN2at1fERKNS_3BSsE"));
  EXPECT_FALSE(is_old("_ZN2at1fILN3c1010ScalarTypeE6EEEvNS_5XSsYZE"));
  EXPECT_FALSE(is_old("Ss"));             // no C++ name
  EXPECT_FALSE(is_old("cudnnSsCreate"));  // a C name
}

TEST(StringAbi, FindsTheNewString) {
  const char* name = "_ZN2at1fERKNSt7__cxx1112basic_stringIcSt11char_traitsIcESaIcEEE";
  EXPECT_TRUE(is_new(name));
  EXPECT_FALSE(is_old(name));
  EXPECT_FALSE(is_new("_ZN2at1fERKSs"));
}

TEST(StringAbi, ReadsNothingBeyondABrokenName) {
  for (const char* name : {"_Z", "_ZN", "_ZN99999999999999999999x", "_ZL", "_ZLb", "_ZLN", "_ZLS",
                           "_ZS", "_ZSs", "_ZN2atE1", "_ZN5abSs"}) {
    string_abi_of(name);
  }
}

}  // namespace
}  // namespace img
