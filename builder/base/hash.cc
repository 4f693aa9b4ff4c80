// SPDX-License-Identifier: Apache-2.0
// SHA-256 by OpenSSL, whose assembly uses the SHA extensions of the processor.
#include "builder/base/hash.h"

#include "builder/base/error.h"

#include <openssl/evp.h>

#include <new>

namespace img {
namespace {

[[noreturn]] void fail(const char* call) {
  throw InternalError(std::string("sha256: ") + call + " returned an error");
}

/// Fetched once for the process: a fetch by name for every hash takes a lock and a provider search.
const EVP_MD* algorithm() {
  static const EVP_MD* const md = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  if (md == nullptr) fail("EVP_MD_fetch");
  return md;
}

}  // namespace

struct Sha256::State {
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  State() {
    if (context == nullptr) throw std::bad_alloc();
    if (EVP_DigestInit_ex2(context, algorithm(), nullptr) != 1) {
      EVP_MD_CTX_free(context);
      fail("EVP_DigestInit_ex2");
    }
  }
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  ~State() { EVP_MD_CTX_free(context); }
};

Sha256::Sha256() : state_(std::make_unique<State>()) {}
Sha256::~Sha256() = default;
Sha256::Sha256(Sha256&&) noexcept = default;
Sha256& Sha256::operator=(Sha256&&) noexcept = default;

void Sha256::update(ByteView bytes) {
  if (EVP_DigestUpdate(state_->context, bytes.data(), bytes.size()) != 1) fail("EVP_DigestUpdate");
}

Sha256Value Sha256::finish() {
  Sha256Value value;
  unsigned length = 0;
  if (EVP_DigestFinal_ex(state_->context, value.data(), &length) != 1 || length != value.size()) {
    fail("EVP_DigestFinal_ex");
  }
  return value;
}

Sha256Value sha256(ByteView bytes) {
  Sha256Value value;
  unsigned length = 0;
  if (EVP_Digest(bytes.data(), bytes.size(), value.data(), &length, algorithm(), nullptr) != 1 ||
      length != value.size()) {
    fail("EVP_Digest");
  }
  return value;
}

void HashSink::write(ByteView bytes) {
  hash_.update(bytes);
  count_ += bytes.size();
  next_.write(bytes);
}

}  // namespace img
