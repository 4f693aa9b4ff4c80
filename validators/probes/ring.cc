// SPDX-License-Identifier: Apache-2.0
// The shared segment, its mailboxes, and the two rounds of the ring.
#include "validators/probes/ring.h"

#include "validators/probes/events.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <new>

#include <fcntl.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

namespace probe {
namespace {

constexpr std::size_t kMailbox = 256 * 1024;
constexpr std::uint64_t kMagic = 0x696d67636865636b;  // "imgcheck"

/// What one rank sends to the next: one piece at a time.
struct alignas(64) Mailbox {
  std::atomic<std::uint64_t> sent{0};   ///< pieces that were put in
  std::atomic<std::uint64_t> taken{0};  ///< pieces that were taken out
  alignas(64) std::array<std::byte, kMailbox> bytes;
};

/// The head of the shared memory; the mailboxes of the ranks follow it.
struct alignas(64) Segment {
  std::uint64_t magic = kMagic;
  std::atomic<std::uint32_t> given_up{0};
  alignas(64) std::atomic<std::uint32_t> arrived{0};
  std::atomic<std::uint32_t> round{0};
  std::array<double, kMostRanks> values{};
};
static_assert(std::atomic<std::uint64_t>::is_always_lock_free);

std::size_t segment_size(int ranks) {
  return sizeof(Segment) + static_cast<std::size_t>(ranks) * sizeof(Mailbox);
}

Mailbox* mailboxes_of(Segment* segment) { return reinterpret_cast<Mailbox*>(segment + 1); }

/// The segment's name: the first bytes of the id in hex. The folder is its last byte.
constexpr std::array<const char*, 2> kFolders{"/dev/shm", "/tmp"};

std::string name_of(const UniqueId& id) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string name = std::string(kFolders[id.back() % kFolders.size()]) + "/imgcheck-";
  for (std::size_t i = 0; i < 16; ++i) {
    name += kDigits[id[i] >> 4];
    name += kDigits[id[i] & 15];
  }
  return name;
}

class SharedRing final : public Ring {
 public:
  SharedRing(int rank, int ranks, std::string name, Segment* segment, std::int64_t deadline_ns)
      : rank_(rank),
        ranks_(ranks),
        name_(std::move(name)),
        segment_(segment),
        deadline_ns_(deadline_ns) {}
  ~SharedRing() override {
    if (rank_ == 0) forget_name();
    ::munmap(segment_, segment_size(ranks_));
  }

  void forget_name() override {
    if (!name_.empty()) ::unlink(name_.c_str());
    name_.clear();
  }

  bool barrier() override {
    const std::uint32_t round = segment_->round.load();
    if (segment_->arrived.fetch_add(1) + 1 == static_cast<std::uint32_t>(ranks_)) {
      segment_->arrived.store(0);
      segment_->round.store(round + 1);
      return segment_->given_up.load() == 0;
    }
    return wait([&] { return segment_->round.load() != round; });
  }

  bool all_reduce(std::span<float> values) override { return reduce(values); }
  bool all_reduce(std::span<double> values) override { return reduce(values); }

  bool largest(double& value) override {
    segment_->values[static_cast<std::size_t>(rank_)] = value;
    if (!barrier()) return false;
    value = *std::max_element(segment_->values.begin(), segment_->values.begin() + ranks_);
    return barrier();  // nobody writes the next value before all have read this one
  }

 private:
  Mailbox& mailbox(int rank) { return mailboxes_of(segment_)[rank]; }

  /// Spins for what a neighbour on another processor takes, then sleeps: where there are more
  /// processes than processors one that only yields waits for everybody else's time slice.
  template <typename Condition>
  bool wait(Condition condition) {
    constexpr unsigned kSpins = 200;
    constexpr std::int64_t kYieldingNs = 50'000;
    constexpr timespec kNap{0, 20'000};
    std::int64_t began = 0;
    for (unsigned turn = 0; !condition(); ++turn) {
      if (turn < kSpins) continue;
      const std::int64_t now = monotonic_ns();
      if (turn == kSpins) began = now;
      if (now > deadline_ns_) segment_->given_up.store(1);
      if (segment_->given_up.load() != 0) return false;
      if (now - began < kYieldingNs) {
        ::sched_yield();
      } else {
        ::nanosleep(&kNap, nullptr);
      }
    }
    return true;
  }

  /// Part `index` of `ranks_` nearly equal parts.
  template <typename T>
  std::span<T> part(std::span<T> values, int index) const {
    const auto n = static_cast<std::size_t>(ranks_);
    const auto i = static_cast<std::size_t>(((index % ranks_) + ranks_) % ranks_);
    const std::size_t begin = values.size() * i / n;
    return values.subspan(begin, values.size() * (i + 1) / n - begin);
  }

  /// Sends one part to the next rank while taking one from the previous: piece by piece, so that
  /// two neighbours never wait for each other.
  template <typename T, typename Take>
  bool exchange(std::span<const T> out, std::span<T> in, Take take) {
    constexpr std::size_t kPiece = kMailbox / sizeof(T);
    while (!out.empty() || !in.empty()) {
      if (!out.empty()) {
        const std::span<const T> piece = out.subspan(0, std::min(kPiece, out.size()));
        if (!send(std::as_bytes(piece))) return false;
        out = out.subspan(piece.size());
      }
      if (!in.empty()) {
        const std::span<T> piece = in.subspan(0, std::min(kPiece, in.size()));
        if (!receive(piece, take)) return false;
        in = in.subspan(piece.size());
      }
    }
    return true;
  }

  bool send(std::span<const std::byte> bytes) {
    Mailbox& box = mailbox(rank_);
    const std::uint64_t count = box.sent.load(std::memory_order_relaxed);
    if (!wait([&] { return box.taken.load(std::memory_order_acquire) == count; })) return false;
    std::memcpy(box.bytes.data(), bytes.data(), bytes.size());
    box.sent.store(count + 1, std::memory_order_release);
    return true;
  }

  template <typename T, typename Take>
  bool receive(std::span<T> into, Take take) {
    Mailbox& box = mailbox((rank_ + ranks_ - 1) % ranks_);
    const std::uint64_t count = box.taken.load(std::memory_order_relaxed);
    if (!wait([&] { return box.sent.load(std::memory_order_acquire) == count + 1; })) return false;
    const auto* const from = reinterpret_cast<const T*>(box.bytes.data());
    for (std::size_t i = 0; i < into.size(); ++i) take(into[i], from[i]);
    box.taken.store(count + 1, std::memory_order_release);
    return true;
  }

  template <typename T>
  bool reduce(std::span<T> values) {
    const auto add = [](T& mine, T theirs) { mine += theirs; };
    const auto replace = [](T& mine, T theirs) { mine = theirs; };
    // First everybody ends up with one part that is whole, then the parts go round once more.
    for (int step = 0; step < ranks_ - 1; ++step) {
      const std::span<T> out = part(values, rank_ - step);
      if (!exchange<T>(out, part(values, rank_ - step - 1), add)) return false;
    }
    for (int step = 0; step < ranks_ - 1; ++step) {
      const std::span<T> out = part(values, rank_ + 1 - step);
      if (!exchange<T>(out, part(values, rank_ - step), replace)) return false;
    }
    return true;
  }

  int rank_, ranks_;
  std::string name_;
  Segment* segment_;
  std::int64_t deadline_ns_;
};

Segment* map_segment(int file, int ranks, std::string& problem) {
  void* const memory =
      ::mmap(nullptr, segment_size(ranks), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  if (memory == MAP_FAILED) {
    problem = std::string("cannot map shared memory: ") + std::strerror(errno);
    return nullptr;
  }
  return static_cast<Segment*>(memory);
}

}  // namespace

std::unique_ptr<Ring> Ring::create(int ranks, UniqueId& id, std::int64_t deadline_ns,
                                   std::string& problem) {
  if (::getrandom(id.data(), id.size(), 0) != static_cast<ssize_t>(id.size())) {
    problem = "no random bytes for an id";
    return nullptr;
  }
  const auto size = static_cast<off_t>(segment_size(ranks));
  for (std::size_t folder = 0; folder < kFolders.size(); ++folder) {
    id.back() = static_cast<std::uint8_t>(folder);
    const std::string name = name_of(id);
    const int file = ::open(name.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (file < 0) {
      problem = "cannot make '" + name + "': " + std::strerror(errno);
      continue;
    }
    Segment* segment = nullptr;
    // posix_fallocate, not ftruncate: a full tmpfs is an error here and not a SIGBUS later.
    if (const int code = ::posix_fallocate(file, 0, size); code != 0) {
      problem = "no room for shared memory in '" + name + "': " + std::strerror(code);
    } else {
      segment = map_segment(file, ranks, problem);
    }
    ::close(file);
    if (segment == nullptr) {
      ::unlink(name.c_str());
      continue;
    }
    new (segment) Segment;
    for (int rank = 0; rank < ranks; ++rank) new (mailboxes_of(segment) + rank) Mailbox;
    problem.clear();
    return std::make_unique<SharedRing>(0, ranks, name, segment, deadline_ns);
  }
  return nullptr;
}

std::unique_ptr<Ring> Ring::open(int rank, int ranks, const UniqueId& id, std::int64_t deadline_ns,
                                 std::string& problem) {
  const std::string name = name_of(id);
  const int file = ::open(name.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW);
  if (file < 0) {
    problem = "cannot open '" + name + "': " + std::strerror(errno);
    return nullptr;
  }
  struct stat status {};
  ::fstat(file, &status);
  Segment* segment = nullptr;
  if (status.st_size != static_cast<off_t>(segment_size(ranks))) {
    problem = "shared memory is for another number of ranks";
  } else {
    segment = map_segment(file, ranks, problem);
  }
  ::close(file);
  if (segment != nullptr && segment->magic != kMagic) {
    problem = "shared memory is not that of a ring";
    return nullptr;
  }
  if (segment == nullptr) return nullptr;
  return std::make_unique<SharedRing>(rank, ranks, name, segment, deadline_ns);
}

}  // namespace probe
