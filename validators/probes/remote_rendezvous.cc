// SPDX-License-Identifier: Apache-2.0
// A rendezvous over TCP between machines, and the variables that describe it.
#include "validators/probes/remote_rendezvous.h"

#include "validators/probes/events.h"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <utility>
#include <vector>

#include <arpa/inet.h>
#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

namespace probe {
namespace {

std::string failed(const std::string& what) { return what + ": " + std::strerror(errno); }

int milliseconds_left(std::int64_t deadline_ns) {
  const std::int64_t left = (deadline_ns - monotonic_ns()) / 1'000'000;
  return left <= 0 ? 0 : left > 1'000'000 ? 1'000'000 : static_cast<int>(left);
}

/// Moves exactly `size` bytes before the deadline.
template <typename Move, typename Byte>
bool transfer(Move move, int socket, short direction, Byte* bytes, std::size_t size,
              std::int64_t deadline_ns) {
  while (size > 0) {
    pollfd ready{socket, direction, 0};
    if (::poll(&ready, 1, milliseconds_left(deadline_ns)) <= 0) return false;
    const ssize_t moved = move(socket, bytes, size, MSG_NOSIGNAL);
    if (moved <= 0) return false;
    bytes += moved;
    size -= static_cast<std::size_t>(moved);
  }
  return true;
}

class Socket {
 public:
  explicit Socket(int descriptor = -1) : descriptor_(descriptor) {}
  Socket(Socket&& other) noexcept : descriptor_(other.descriptor_) { other.descriptor_ = -1; }
  Socket& operator=(Socket&& other) noexcept {
    std::swap(descriptor_, other.descriptor_);
    return *this;
  }
  ~Socket() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  int get() const { return descriptor_; }
  bool good() const { return descriptor_ >= 0; }

 private:
  int descriptor_;
};

class RemoteRendezvous final : public Rendezvous {
 public:
  RemoteRendezvous(std::string host, int port) : host_(std::move(host)), port_(port) {}

  std::string meet(int rank, int ranks, UniqueId& id, std::int64_t deadline_ns) override {
    return rank == 0 ? serve(ranks, id, deadline_ns) : join(rank, id, deadline_ns);
  }

 private:
  /// On every interface: MASTER_ADDR is often a name that is local only by translation.
  std::string listen(Socket& listener) const {
    listener = Socket(::socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in6 six{};
    six.sin6_family = AF_INET6;
    six.sin6_port = htons(static_cast<std::uint16_t>(port_));
    sockaddr_in four{};
    four.sin_family = AF_INET;
    four.sin_port = six.sin6_port;
    const int yes = 1, no = 0;
    bool bound = false;
    if (listener.good()) {
      ::setsockopt(listener.get(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
      ::setsockopt(listener.get(), IPPROTO_IPV6, IPV6_V6ONLY, &no, sizeof(no));
      bound = ::bind(listener.get(), reinterpret_cast<sockaddr*>(&six), sizeof(six)) == 0;
    }
    if (!bound) {
      listener = Socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
      ::setsockopt(listener.get(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
      bound = ::bind(listener.get(), reinterpret_cast<sockaddr*>(&four), sizeof(four)) == 0;
    }
    if (!bound || ::listen(listener.get(), 1024) != 0) {
      return failed("cannot listen at port " + std::to_string(port_));
    }
    return {};
  }

  /// Gives the id to everybody only when everybody is there.
  std::string serve(int ranks, const UniqueId& id, std::int64_t deadline_ns) const {
    Socket listener;
    if (std::string problem = listen(listener); !problem.empty()) return problem;
    std::vector<Socket> members(static_cast<std::size_t>(ranks));
    int here = 1;
    while (here < ranks) {
      pollfd ready{listener.get(), POLLIN, 0};
      if (::poll(&ready, 1, milliseconds_left(deadline_ns)) <= 0) break;
      Socket member(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
      std::uint32_t number = 0;
      // A stranger that says nothing may not hold the others up for long.
      const std::int64_t soon = std::min<std::int64_t>(deadline_ns, monotonic_ns() + 5'000'000'000);
      if (!member.good() ||
          !transfer(::recv, member.get(), POLLIN, reinterpret_cast<std::uint8_t*>(&number),
                    sizeof(number), soon)) {
        continue;
      }
      const std::uint32_t rank = ntohl(number);
      if (rank == 0 || rank >= static_cast<std::uint32_t>(ranks) || members[rank].good()) continue;
      members[rank] = std::move(member);
      ++here;
    }
    std::string absent;
    for (int rank = 1; rank < ranks; ++rank) {
      if (members[static_cast<std::size_t>(rank)].good()) continue;
      absent += (absent.empty() ? "" : ", ") + std::to_string(rank);
    }
    if (!absent.empty()) return "did not come in time: rank " + absent;
    for (int rank = 1; rank < ranks; ++rank) {
      if (!transfer(::send, members[static_cast<std::size_t>(rank)].get(), POLLOUT, id.data(),
                    id.size(), deadline_ns)) {
        return "rank " + std::to_string(rank) + " went away";
      }
    }
    return {};
  }

  Socket connect(std::string& problem) const {
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* found = nullptr;
    const int rc = ::getaddrinfo(host_.c_str(), std::to_string(port_).c_str(), &hints, &found);
    if (rc != 0) {
      problem = "'" + host_ + "' has no address: " + ::gai_strerror(rc);
      return Socket();
    }
    Socket socket;
    for (const addrinfo* one = found; one != nullptr; one = one->ai_next) {
      Socket trial(::socket(one->ai_family, one->ai_socktype | SOCK_CLOEXEC, one->ai_protocol));
      if (!trial.good() || ::connect(trial.get(), one->ai_addr, one->ai_addrlen) != 0) {
        problem = failed("cannot connect to rank 0 at " + host_ + ":" + std::to_string(port_));
        continue;
      }
      socket = std::move(trial);
      problem.clear();
      break;
    }
    ::freeaddrinfo(found);
    return socket;
  }

  std::string join(int rank, UniqueId& id, std::int64_t deadline_ns) const {
    std::string problem;
    Socket socket = connect(problem);
    while (!socket.good() && monotonic_ns() < deadline_ns) {
      const timespec pause{0, 100'000'000};
      ::nanosleep(&pause, nullptr);
      socket = connect(problem);
    }
    if (!socket.good()) return problem;
    const std::uint32_t number = htonl(static_cast<std::uint32_t>(rank));
    if (!transfer(::send, socket.get(), POLLOUT, reinterpret_cast<const std::uint8_t*>(&number),
                  sizeof(number), deadline_ns) ||
        !transfer(::recv, socket.get(), POLLIN, id.data(), id.size(), deadline_ns)) {
      return "rank 0 gave no id in time";
    }
    return {};
  }

  std::string host_;
  int port_;
};

/// The first of the variables that is set, as a number; -1: none is.
int number_of(std::initializer_list<const char*> names, int most, std::string& problem) {
  for (const char* name : names) {
    const char* const text = std::getenv(name);
    if (text == nullptr || *text == '\0') continue;
    char* end = nullptr;
    const long value = std::strtol(text, &end, 10);
    if (*end == '\0' && value >= 0 && value <= most) return static_cast<int>(value);
    if (problem.empty()) problem = std::string(name) + " is no number of use: '" + text + "'";
    return -1;
  }
  if (problem.empty()) problem = std::string(*names.begin()) + " is not set";
  return -1;
}

}  // namespace

std::unique_ptr<Rendezvous> remote_rendezvous(std::string host, int port) {
  return std::make_unique<RemoteRendezvous>(std::move(host), port);
}

Membership membership_of_environment() {
  Membership membership;
  std::string& problem = membership.problem;
  constexpr int kMost = 65536;
  membership.ranks = number_of({"WORLD_SIZE", "SLURM_NTASKS"}, kMost, problem);
  membership.rank = number_of({"RANK", "SLURM_PROCID"}, kMost, problem);
  membership.local_rank = number_of({"LOCAL_RANK", "SLURM_LOCALID"}, kMost, problem);
  membership.port = number_of({"MASTER_PORT"}, 65534, problem) + 1;
  const char* const host = std::getenv("MASTER_ADDR");
  if (host != nullptr) membership.host = host;
  if (problem.empty() && membership.host.empty()) problem = "MASTER_ADDR is not set";
  if (problem.empty() && membership.rank >= membership.ranks)
    problem = "RANK is not below WORLD_SIZE";
  std::string unimportant;
  membership.local_ranks =
      number_of({"LOCAL_WORLD_SIZE", "SLURM_NTASKS_PER_NODE"}, kMost, unimportant);
  return membership;
}

}  // namespace probe
