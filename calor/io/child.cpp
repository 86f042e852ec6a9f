#include "calor/io/child.h"

#include <fcntl.h>
#include <poll.h>
#ifdef __linux__
#include <sys/prctl.h>
#endif
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <csignal>
#include <cstring>
#include <fstream>
#include <new>

#include "calor/core/error.h"

namespace calor::io {

namespace {

// The child ended before it had sent everything.
struct Ended {};

enum Answer : char { sound, failed };

// A process that is no longer wanted when this goes out of scope.
class Child {
 public:
  explicit Child(pid_t id) : id_(id) {}
  ~Child() {
    if (id_ > 0) ::kill(id_, SIGKILL), wait();
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  // How it ended, in words.
  std::string wait() {
    int status = 0;
    pid_t ended = 0;
    do ended = ::waitpid(id_, &status, 0);
    while (ended < 0 && errno == EINTR);
    id_ = 0;
    if (ended <= 0 || !WIFSIGNALED(status)) return "it ended early";
    return WTERMSIG(status) == SIGXCPU ? "it does not end" : ::strsignal(WTERMSIG(status));
  }

 private:
  pid_t id_;
};

class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  ~Descriptor() { close(); }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  void close() {
    if (number_ >= 0) ::close(number_);
    number_ = -1;
  }
  int number() const { return number_; }

 private:
  int number_;
};

// Crashes are expected here: no core file, no last words on the terminal, no handlers of the parent; and nothing outlives it.
void prepare_child() {
#ifdef __linux__
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
#endif
  const rlimit none{0, 0};
  ::setrlimit(RLIMIT_CORE, &none);
  for (const int signal : {SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGILL, SIGPIPE, SIGXCPU}) std::signal(signal, SIG_DFL);
  const int nowhere = ::open("/dev/null", O_WRONLY);
  if (nowhere >= 0) ::dup2(nowhere, STDOUT_FILENO), ::dup2(nowhere, STDERR_FILENO);
}

// What the library takes for itself fails beyond the caller's limit too, and some room for its own tables.
void limit_memory(std::uint64_t bytes) {
  constexpr std::uint64_t tables = 256 << 20;
  std::ifstream pages("/proc/self/statm");  // of all: size resident shared text library data
  std::uint64_t data = 0;
  for (int field = 0; field < 6; ++field) pages >> data;
  rlimit limit{};
  if (!pages || ::getrlimit(RLIMIT_DATA, &limit) != 0) return;
  limit.rlim_cur = std::min<rlim_t>(limit.rlim_max, data * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE)) + bytes + tables);
  ::setrlimit(RLIMIT_DATA, &limit);
}

void run_child(const std::function<void()>& work, const std::function<void(Sender&)>& send, Sender sender, const Context& context) {
  prepare_child();
  limit_memory(context.memory.bytes());
  const auto fail_with = [&](Fault fault, const char* message) {
    sender(static_cast<char>(failed));
    sender(static_cast<int>(fault));
    sender(std::string(message));
  };
  try {
    work();
    allow_child(1e9);  // to send as long as the parent takes
    sender(static_cast<char>(sound));
    send(sender);
  } catch (const Error& error) {
    fail_with(error.fault(), error.what());
  } catch (const std::bad_alloc&) {
    fail_with(Fault::memory, "[memory] expected room for the file's content, found none left: use a smaller file");
  }
}

}  // namespace

void allow_child(double seconds) {
  rusage used{};
  rlimit limit{};
  ::getrusage(RUSAGE_SELF, &used);
  ::getrlimit(RLIMIT_CPU, &limit);
  const double now = static_cast<double>(used.ru_utime.tv_sec + used.ru_stime.tv_sec) + 1;
  limit.rlim_cur = std::min(limit.rlim_max, static_cast<rlim_t>(std::ceil(now + seconds)));
  ::setrlimit(RLIMIT_CPU, &limit);
}

void Sender::write(const void* bytes, std::size_t size) {
  const char* at = static_cast<const char*>(bytes);
  while (size > 0) {
    const ssize_t written = ::write(pipe_, at, size);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) ::_exit(1);  // nobody listens any more
    at += written;
    size -= static_cast<std::size_t>(written);
  }
}

void Receiver::read(void* bytes, std::size_t size) {
  constexpr int patience = 100;  // milliseconds between looks at the stop flag
  char* at = static_cast<char*>(bytes);
  while (size > 0) {
    context_.check_stop("read");
    pollfd ready{pipe_, POLLIN, 0};
    if (::poll(&ready, 1, patience) <= 0) continue;
    const ssize_t got = ::read(pipe_, at, size);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) throw Ended();
    at += got;
    size -= static_cast<std::size_t>(got);
  }
}

std::size_t Receiver::size(std::size_t element) {
  std::uint64_t count = 0, bytes = 0;
  (*this)(count);
  const bool fits = !__builtin_mul_overflow(count, element, &bytes);
  context_.memory.require(fits ? bytes : ~std::uint64_t{0}, "read", place_, "use a smaller file, or raise --max-memory");
  return count;
}

void run_in_child(const std::function<void()>& work, const std::function<void(Sender&)>& send, const std::function<void(Receiver&)>& receive,
                  std::string_view op, std::string_view library, const std::string& place, const Context& context) {
  int ends[2];
  require(::pipe2(ends, O_CLOEXEC) == 0, Fault::internal, "[{}] expected a pipe, found none: {}", op, system_reason(errno));
  Descriptor from_child(ends[0]), to_parent(ends[1]);
#ifdef F_SETPIPE_SZ
  ::fcntl(ends[1], F_SETPIPE_SZ, 1 << 20);  // fewer turns of the two processes
#endif
  const pid_t id = ::fork();
  require(id >= 0, Fault::internal, "[{}] expected a process, found none: {}", op, system_reason(errno));
  if (id == 0) {
    try {
      run_child(work, send, Sender(to_parent.number()), context);
    } catch (...) {
      ::_exit(1);
    }
    ::_exit(0);  // without the parent's buffers and exit functions
  }
  Child child(id);
  to_parent.close();
  try {
    Receiver receiver(from_child.number(), place, context);
    char answer = 0;
    receiver(answer);
    if (answer == sound) return receive(receiver);
    int fault = 0;
    std::string message;
    receiver(fault);
    receiver(message);
    throw Error(static_cast<Fault>(fault), message);
  } catch (const Ended&) {
    fail(Fault::input, "[{}] expected a sound file, found one at which {} fails: {} ({}): the file is damaged; fetch or write it again", op, library,
         child.wait(), place);
  }
}

}  // namespace calor::io
