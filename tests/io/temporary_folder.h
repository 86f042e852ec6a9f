// A folder that lives as long as a test, and how tests state what an error must say.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <initializer_list>
#include <string>
#include <string_view>

#include "calor/core/error.h"
#include "calor/io/dataset.h"

namespace calor::io {

class TemporaryFolder : public testing::Test {
 protected:
  TemporaryFolder() {
    std::string name = testing::TempDir() + "calor-io-XXXXXX";
    if (!::mkdtemp(name.data())) throw std::runtime_error("no temporary folder " + name);
    folder_ = name;
  }
  ~TemporaryFolder() override { std::filesystem::remove_all(folder_); }

  std::string path(const std::string& name) const { return (folder_ / name).string(); }
  std::string write(const std::string& name, std::string_view content) const {
    std::ofstream(path(name), std::ios::binary) << content;
    return path(name);
  }
  Dataset load(const std::string& name, std::string_view content, const LoadOptions& options = {}) const {
    return load_dataset(write(name, content), options, Context());
  }
  std::size_t files() const {
    return static_cast<std::size_t>(
        std::distance(std::filesystem::directory_iterator(folder_), std::filesystem::directory_iterator()));
  }

 private:
  std::filesystem::path folder_;
};

inline std::string content_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

// The call fails with that fault, and the message holds each of the texts.
template <class Call>
void expect_error(Fault fault, std::initializer_list<std::string_view> texts, const Call& call) {
  try {
    call();
    ADD_FAILURE() << "no error; expected one with \"" << *texts.begin() << '"';
  } catch (const Error& error) {
    EXPECT_EQ(static_cast<int>(error.fault()), static_cast<int>(fault)) << error.what();
    for (const std::string_view text : texts)
      EXPECT_NE(std::string_view(error.what()).find(text), std::string_view::npos)
          << "no \"" << text << "\" in: " << error.what();
  }
}

using Strings = std::vector<std::string>;
using Numbers = std::vector<double>;
using Labels = std::vector<std::int64_t>;

}  // namespace calor::io
