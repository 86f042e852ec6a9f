#include "calor/io/hash.h"

#include <fmt/format.h>
#include <openssl/evp.h>

#include <array>

#include "calor/core/error.h"

namespace calor::io {
namespace {

auto new_digest() { return std::unique_ptr<EVP_MD_CTX, void (*)(EVP_MD_CTX*)>(EVP_MD_CTX_new(), EVP_MD_CTX_free); }

void succeed(int status) { require(status == 1, Fault::internal, "[hash] OpenSSL could not compute a SHA-256"); }

}  // namespace

Sha256::Sha256() : digest_(new_digest()) { succeed(EVP_DigestInit_ex(digest_.get(), EVP_sha256(), nullptr)); }

void Sha256::add(std::string_view bytes) { succeed(EVP_DigestUpdate(digest_.get(), bytes.data(), bytes.size())); }

std::string Sha256::hex() const {
  const auto whole = new_digest();  // a copy, so that more can be added
  std::array<unsigned char, 32> bytes;
  succeed(EVP_MD_CTX_copy_ex(whole.get(), digest_.get()));
  succeed(EVP_DigestFinal_ex(whole.get(), bytes.data(), nullptr));
  return fmt::format("{:02x}", fmt::join(bytes, ""));
}

std::string sha256(std::string_view bytes) {
  Sha256 hash;
  hash.add(bytes);
  return hash.hex();
}

}  // namespace calor::io
