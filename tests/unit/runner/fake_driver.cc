// SPDX-License-Identifier: Apache-2.0
// A library with the soname of the CUDA driver and nothing in it but a number.
extern "C" int driver_number() { return 57508; }
