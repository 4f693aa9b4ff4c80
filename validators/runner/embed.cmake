# SPDX-License-Identifier: Apache-2.0
# cmake -DINPUT=program -DOUTPUT=file.cc -P embed.cmake: the bytes of the enter program as a C++ source.
file(READ ${INPUT} bytes HEX)
string(REGEX REPLACE "(..)" "0x\\1," bytes "${bytes}")
file(WRITE ${OUTPUT} "// Made from enter.cc by embed.cmake.
#include \"validators/runner/enter_program.h\"
namespace img {
namespace {
constexpr std::uint8_t kBytes[] = {${bytes}};
}
ByteView enter_program() { return kBytes; }
}  // namespace img
")
