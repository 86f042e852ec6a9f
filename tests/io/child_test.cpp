// Work in a child: what it gives back arrives whole; its errors, crashes and endless loops are errors here.
#include "calor/io/child.h"

#include <unistd.h>

#include <atomic>
#include <csignal>
#include <thread>

#include "temporary_folder.h"

namespace calor::io {
namespace {

void run(const std::function<void()>& work, const Context& context = Context()) {
  run_in_child(work, [](Sender&) {}, [](Receiver&) {}, "op", "a library", "f.x", context);
}

TEST(Child, GivesBackWhatItFound) {
  Numbers numbers;
  Strings texts;
  std::int64_t count = 0;
  run_in_child([&] { numbers.assign(1'000'000, 0.25), texts = {"", "a", std::string(100'000, 'b')}, count = -7; },
               [&](Sender& send) { send(numbers), send(texts), send(count); },
               [&](Receiver& receive) { receive(numbers), receive(texts), receive(count); }, "op", "a library", "f.x", Context());
  EXPECT_EQ(numbers, Numbers(1'000'000, 0.25));
  EXPECT_EQ(texts, (Strings{"", "a", std::string(100'000, 'b')}));
  EXPECT_EQ(count, -7);
}

TEST(Child, ErrorsKeepFaultAndMessage) {
  expect_error(Fault::memory, {"[op] too much"}, [] { run([] { fail(Fault::memory, "[op] too much"); }); });
  expect_error(Fault::usage, {"[op] wrong"}, [] { run([] { fail(Fault::usage, "[op] wrong"); }); });
}

TEST(Child, CrashesAreErrors) {
  expect_error(Fault::input, {"[op] expected a sound file, found one at which a library fails", "Segmentation fault", "f.x"},
               [] { run([] { std::signal(SIGSEGV, SIG_DFL), std::raise(SIGSEGV); }); });
  expect_error(Fault::input, {"Aborted"}, [] { run([] { std::abort(); }); });
  expect_error(Fault::input, {"ended early"}, [] { run([] { ::_exit(0); }); });
  expect_error(Fault::input, {"ended early"}, [] { run([] { throw 1; }); });
}

TEST(Child, EndlessLoopsAreErrors) {
  expect_error(Fault::input, {"it does not end"}, [] {
    run([] {
      allow_child(0);
      for (std::atomic<bool> forever = true; forever;) {
      }
    });
  });
}

TEST(Child, StopsWhenAsked) {
  int at_work[2];
  ASSERT_EQ(::pipe(at_work), 0);
  StopFlag stop;
  Context context;
  context.stop = &stop;
  std::thread once_it_works([&] {
    char word = 0;
    EXPECT_EQ(::read(at_work[0], &word, 1), 1);
    stop.request();
  });
  const auto work = [&] {
    if (::write(at_work[1], "w", 1) == 1) ::pause();
  };
  expect_error(Fault::interrupted, {"[read]"}, [&] { run(work, context); });
  ::close(at_work[1]);
  once_it_works.join();
  ::close(at_work[0]);
}

TEST(Child, SizesAreAskedOfTheLimit) {
  Numbers numbers;
  Context context;
  context.memory = MemoryLimit(1 << 20);
  expect_error(Fault::memory, {"f.x"}, [&] {
    run_in_child([] {}, [](Sender& send) { send(std::uint64_t{1} << 62); }, [&](Receiver& receive) { receive(numbers); }, "op", "a library", "f.x", context);
  });
#if defined(__linux__) && !defined(__SANITIZE_ADDRESS__)  // whose shadow memory is counted too
  expect_error(Fault::memory, {"found none left"}, [&] { run([] { std::vector<char> room(std::size_t{1} << 32, 'a'); }, context); });
#endif
}

}  // namespace
}  // namespace calor::io
