# SPDX-License-Identifier: Apache-2.0
img_unit_test(elf
  SOURCES
    elf_reader_test.cc
    elf_damage_test.cc
    fat_binary_test.cc
    string_abi_test.cc
    library_names_test.cc
  LIBRARIES img_elf)
