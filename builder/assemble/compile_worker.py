# SPDX-License-Identifier: Apache-2.0
"""Compiles Python sources to checked-hash bytecode (PEP 552), as py_compile does it.

Standard input: frames of u32 path length, path, u32 source length, source (little-endian).
Standard output, in the same order: frames of u8 status (1: compiled), u32 length, bytecode.
"""
import sys
import _frozen_importlib_external as bootstrap  # built into every interpreter
import _imp


def read_field(stream):
    head = stream.read(4)
    if not head:
        return None
    data = stream.read(int.from_bytes(head, "little"))
    return data


def bytecode_of(path, source):
    """Bytes of the .pyc, or None when the source does not compile."""
    try:
        loader = bootstrap.SourceFileLoader("<py_compile>", path)
        code = loader.source_to_code(source, path, _optimize=0)
    except BaseException:  # syntax, encoding, recursion, memory: an installer leaves such files alone
        return None
    source_hash = _imp.source_hash(bootstrap._RAW_MAGIC_NUMBER, source)
    return bootstrap._code_to_hash_pyc(code, source_hash, True)


def settle_shared_strings():
    """Makes the bytecode of a source independent of the sources before it.

    One-character strings up to U+00FF live as long as the process, and marshal writes whether they are
    interned: they are from the first use as a name on. All that can be names are interned here ("*" is the
    name in "import *"). Longer names are forgotten with the code that held them.
    """
    sys.intern("*")
    for number in range(0xC0, 0x100):
        if chr(number).isidentifier():
            sys.intern(chr(number))


def main():
    settle_shared_strings()
    stream, out = sys.stdin.buffer, sys.stdout.buffer
    while (path := read_field(stream)) is not None:
        source = read_field(stream)
        data = bytecode_of(path.decode("utf-8", "surrogateescape"), source)
        out.write(b"\0" if data is None else b"\1")
        data = data or b""
        out.write(len(data).to_bytes(4, "little"))
        out.write(data)
    out.flush()


main()
