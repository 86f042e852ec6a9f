// Output files: complete or untouched, under the failures that a file system has; run without privileges.
#include "calor/io/output.h"

#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <functional>
#include <thread>

#include "temporary_folder.h"

namespace calor::io {
namespace {

namespace fs = std::filesystem;

class Output : public TemporaryFolder {};

// Files of this process end at so many bytes, as on a disk that is full: write() then fails with EFBIG.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) {
    getrlimit(RLIMIT_FSIZE, &before_);
    handler_ = std::signal(SIGXFSZ, SIG_IGN);
    const rlimit now{bytes, before_.rlim_max};
    setrlimit(RLIMIT_FSIZE, &now);
  }
  ~FileSizeLimit() {
    setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, handler_);
  }

 private:
  rlimit before_{};
  void (*handler_)(int);
};

TEST_F(Output, WritesAndReplaces) {
  const std::string target = path("out.bin");
  write_file(target, std::string_view("a\0b", 3));
  EXPECT_EQ(content_of(target), std::string("a\0b", 3));
  write_file(target, "");
  EXPECT_EQ(content_of(target), "");
  const std::string large(3'000'000, 'x');
  write_file(target, large);
  EXPECT_EQ(content_of(target), large);
  EXPECT_EQ(files(), 1u);
}

TEST_F(Output, FullDiskLeavesTheOldFileAndNothingElse) {
  const std::string target = write("out.bin", "old");
  const FileSizeLimit limit(4096);
  expect_error(Fault::input, {"[write]", target, "File too large", "another folder"},
               [&] { write_file(target, std::string(100'000, 'x')); });
  EXPECT_EQ(content_of(target), "old");
  EXPECT_EQ(files(), 1u);
  expect_error(Fault::input, {"File too large"}, [&] { write_file(path("new.bin"), std::string(100'000, 'x')); });
  EXPECT_EQ(files(), 1u);
  write_file(target, "fits");
  EXPECT_EQ(content_of(target), "fits");
}

TEST_F(Output, DevicesAreWrittenStraight) {
  expect_error(Fault::input, {"[write]", "/dev/full", "No space left on device", "free some space"},
               [] { write_file("/dev/full", "text"); });
  EXPECT_NO_THROW(write_file("/dev/null", "text"));
  EXPECT_TRUE(fs::is_character_file("/dev/null"));
  EXPECT_NO_THROW(check_writable("/dev/null"));
}

TEST_F(Output, PipesAreWrittenStraight) {
  ASSERT_EQ(::mkfifo(path("pipe").c_str(), 0600), 0);
  std::string received;
  std::thread reader([&] { received = content_of(path("pipe")); });
  write_file(path("pipe"), "through the pipe");
  reader.join();
  EXPECT_EQ(received, "through the pipe");
  EXPECT_TRUE(fs::is_fifo(path("pipe")));
}

TEST_F(Output, LinksStayAndTheirTargetsAreReplaced) {
  fs::create_directory(path("far"));
  write("far/target", "old");
  fs::create_symlink("far/target", path("link"));
  fs::create_symlink(path("link"), path("second"));
  write_file(path("second"), "new");
  EXPECT_TRUE(fs::is_symlink(path("link")));
  EXPECT_TRUE(fs::is_symlink(path("second")));
  EXPECT_EQ(content_of(path("far/target")), "new");
  fs::create_symlink("far/absent", path("dangling"));
  write_file(path("dangling"), "made");
  EXPECT_EQ(content_of(path("far/absent")), "made");
  EXPECT_TRUE(fs::is_symlink(path("dangling")));
  fs::create_symlink("loop", path("loop"));
  expect_error(Fault::input, {"[write]", "symbolic links"}, [&] { write_file(path("loop"), "x"); });
}

TEST_F(Output, PermissionsOfAnExistingFileStay) {
  write("out", "old");
  fs::permissions(path("out"), fs::perms(0640));
  write_file(path("out"), "new");
  EXPECT_EQ(fs::status(path("out")).permissions(), fs::perms(0640));
}

TEST_F(Output, RefusesWhatIsNoPlaceForAFile) {
  fs::create_directory(path("folder"));
  for (const auto& attempt :
       {std::function([](const std::string& p) { write_file(p, "x"); }), std::function(check_writable)}) {
    expect_error(Fault::input, {"[write]", "Is a directory", "name a file"}, [&] { attempt(path("folder")); });
    expect_error(Fault::input, {"[write]", "no file name"}, [&] { attempt(path("folder/")); });
    expect_error(Fault::input, {"[write]", "no file name"}, [&] { attempt(""); });
    expect_error(Fault::input, {"[write]", "No such file or directory", "create the folder"},
                 [&] { attempt(path("absent/out")); });
    write("file", "x");
    expect_error(Fault::input, {"[write]", "Not a directory"}, [&] { attempt(path("file/out")); });
    EXPECT_EQ(files(), 2u);
  }
}

TEST_F(Output, RefusesWhatThePermissionsForbid) {
  if (::geteuid() == 0) GTEST_SKIP() << "SKIPPED: permissions do not bind root";
  fs::create_directory(path("closed"));
  write("closed/old", "x");
  fs::permissions(path("closed"), fs::perms(0500));
  expect_error(Fault::input, {"[write]", "Permission denied"}, [&] { check_writable(path("closed/out")); });
  expect_error(Fault::input, {"[write]", "Permission denied"}, [&] { write_file(path("closed/out"), "x"); });
  write("read_only", "old");
  fs::permissions(path("read_only"), fs::perms(0400));
  expect_error(Fault::input, {"[write]", "Permission denied"}, [&] { write_file(path("read_only"), "x"); });
  write("secret", "x");
  fs::permissions(path("secret"), fs::perms(0));
  expect_error(Fault::input, {"[read]", "Permission denied"}, [&] { read_file(path("secret")); });
  fs::permissions(path("closed"), fs::perms(0700));
}

TEST_F(Output, CheckWritableLeavesNothing) {
  EXPECT_NO_THROW(check_writable(path("out")));
  EXPECT_EQ(files(), 0u);
  write("out", "old");
  EXPECT_NO_THROW(check_writable(path("out")));
  EXPECT_EQ(content_of(path("out")), "old");
}

TEST_F(Output, ManyThreadsWriteTheSameFile) {
  std::vector<std::thread> writers;
  for (const char c : {'a', 'b', 'c', 'd'}) writers.emplace_back([&, c] {
      for (int i = 0; i < 20; ++i) write_file(path("out"), std::string(10'000, c));
    });
  for (std::thread& writer : writers) writer.join();
  const std::string content = content_of(path("out"));
  EXPECT_EQ(content, std::string(10'000, content[0]));
  EXPECT_EQ(files(), 1u);
}

// Two programs at once: whoever reads meanwhile finds one file or the other, whole.
TEST_F(Output, ManyProcessesWriteTheSameFile) {
  constexpr std::size_t size = 2'000'000;
  write_file(path("out"), std::string(size, 'a'));
  std::vector<pid_t> writers;
  for (const char c : {'a', 'b'}) {
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      for (int i = 0; i < 30; ++i) write_file(path("out"), std::string(size, c));
      ::_exit(0);
    }
    writers.push_back(child);
  }
  for (std::size_t ended = 0; ended < writers.size();) {
    const std::string content = read_file(path("out"));
    ASSERT_EQ(content.size(), size);
    EXPECT_EQ(content.find_first_not_of(content[0]), std::string::npos);
    int status = 0;
    if (::waitpid(writers[ended], &status, WNOHANG) == writers[ended]) {
      EXPECT_EQ(status, 0);
      ++ended;
    }
  }
  EXPECT_EQ(files(), 1u);
}

TEST_F(Output, ReadFile) {
  EXPECT_EQ(read_file(write("in", std::string_view("a\0b\n", 4))), std::string("a\0b\n", 4));
  EXPECT_EQ(read_file(write("none", "")), "");
  const std::string large(5'000'000, 'y');
  EXPECT_EQ(read_file(write("large", large)), large);
  EXPECT_FALSE(read_file("/proc/self/status").empty());  // its size is told as 0
  expect_error(Fault::input, {"[read]", "absent", "No such file"}, [&] { read_file(path("absent")); });
  expect_error(Fault::input, {"[read]", "folder"}, [&] { read_file(path("")); });
}

}  // namespace
}  // namespace calor::io
