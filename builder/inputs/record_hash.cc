// SPDX-License-Identifier: Apache-2.0
// Hashes a file as its RECORD row asks.
#include "builder/inputs/record_hash.h"

#include "builder/base/error.h"
#include "builder/base/text.h"

#include <openssl/evp.h>

namespace img {

struct RecordHash::Strong {
  std::string algorithm;
  std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context{EVP_MD_CTX_new(),
                                                                  EVP_MD_CTX_free};
};

RecordHash::RecordHash(const RecordRow& row) {
  if (row.strong_hash.empty()) {
    if (row.sha256) sha256_.emplace();
    return;
  }
  strong_ = std::make_unique<Strong>();
  strong_->algorithm = row.strong_hash.substr(0, row.strong_hash.find('='));
  const EVP_MD* digest = strong_->algorithm == "sha384" ? EVP_sha384() : EVP_sha512();
  if (!strong_->context || EVP_DigestInit_ex(strong_->context.get(), digest, nullptr) != 1)
    throw InternalError("cannot start " + strong_->algorithm);
}

RecordHash::~RecordHash() = default;

void RecordHash::update(ByteView bytes) {
  if (sha256_) sha256_->update(bytes);
  if (strong_ && EVP_DigestUpdate(strong_->context.get(), bytes.data(), bytes.size()) != 1)
    throw InternalError("cannot go on with " + strong_->algorithm);
}

std::string RecordHash::finish() {
  if (sha256_) return "sha256=" + to_base64url(sha256_->finish());
  if (!strong_) return "";
  std::vector<std::uint8_t> value(EVP_MAX_MD_SIZE);
  unsigned size = 0;
  if (EVP_DigestFinal_ex(strong_->context.get(), value.data(), &size) != 1)
    throw InternalError("cannot end " + strong_->algorithm);
  value.resize(size);
  return strong_->algorithm + "=" + to_base64url(value);
}

std::string hash_text(const RecordRow& row) {
  return row.sha256 ? "sha256=" + to_base64url(*row.sha256) : row.strong_hash;
}

}  // namespace img
