// SPDX-License-Identifier: Apache-2.0
// The source that a library needs which only holds precompiled headers.
