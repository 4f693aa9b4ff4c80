// SPDX-License-Identifier: Apache-2.0
// A scripted HTTP server on the loopback interface: right answers, and every kind of wrong one.
//
//   HttpServer server;
//   server.on("/a", {HttpReply{.status = 503}, HttpReply{.body = "ok"}});   // the last one repeats
//   server.serve_file("/b.whl", bytes, {.etag = "\"1\"", .cut_after = {1000, 5000}});
//   client.get(server.url("/a"));  server.requests();
#pragma once

#include <algorithm>
#include <atomic>
#include <cctype>
#include <condition_variable>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace img::test {

struct ServedRequest {
  std::string method, path;                    ///< path with query
  std::map<std::string, std::string> headers;  ///< lower-case names
  std::string header(const std::string& name) const {
    const auto found = headers.find(name);
    return found == headers.end() ? std::string() : found->second;
  }
};

struct HttpReply {
  int status = 200;
  std::map<std::string, std::string> headers = {};
  std::string body = {};
  /// What Content-Length says; unset: the truth. Ignored when chunked.
  std::optional<std::uint64_t> content_length = {};
  bool no_length = false;  ///< neither Content-Length nor chunks: the end of the connection ends it
  bool chunked = false;    ///< Transfer-Encoding: chunked
  bool chunked_endless = false;               ///< chunked, and the last chunk never comes
  std::optional<std::size_t> cut_after = {};  ///< close after this many bytes of the body
  bool reset = false;                         ///< the close is a reset (RST)
  bool hang = false;       ///< after what was sent: silence until the client or the server goes
  bool no_answer = false;  ///< close at once, without a status line
};

/// How serve_file behaves.
struct FileBehaviour {
  std::string etag = {};
  enum class Ranges { right, ignored, wrong_start, wrong_whole, refused } ranges = Ranges::right;
  /// The n-th answer is cut after so many bytes of its body; answers after these are whole.
  std::vector<std::size_t> cut_after = {};
  bool reset = false;  ///< cuts are resets
};

class HttpServer {
 public:
  using Handler = std::function<HttpReply(const ServedRequest&)>;

  HttpServer() {
    setenv("no_proxy", "127.0.0.1,localhost", 1);  // whatever the machine's proxy is
    listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof address;
    if (listener_ < 0 || bind(listener_, reinterpret_cast<sockaddr*>(&address), length) != 0 ||
        listen(listener_, 64) != 0 ||
        getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &length) != 0 ||
        pipe(wake_) != 0) {
      throw std::runtime_error("loopback server: no socket");
    }
    port_ = ntohs(address.sin_port);
    acceptor_ = std::thread([this] { accept_all(); });
  }

  ~HttpServer() {
    {
      const std::lock_guard guard(mutex_);
      stopping_ = true;
      stopped_.notify_all();
    }
    [[maybe_unused]] const ssize_t woken = ::write(wake_[1], "x", 1);
    acceptor_.join();
    for (std::thread& thread : connections_) thread.join();
    close(listener_);
    close(wake_[0]);
    close(wake_[1]);
  }
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  int port() const { return port_; }
  std::string host() const { return "127.0.0.1:" + std::to_string(port_); }
  std::string url(const std::string& path = "") const { return "http://" + host() + path; }

  /// Answers in this order; the last one repeats.
  void on(const std::string& path, std::vector<HttpReply> replies) {
    auto next = std::make_shared<std::atomic<std::size_t>>(0);
    on(path, [next, replies](const ServedRequest&) {
      return replies[std::min(next->fetch_add(1), replies.size() - 1)];
    });
  }
  void on(const std::string& path, Handler handler) {
    const std::lock_guard guard(mutex_);
    handlers_[path] = std::move(handler);
  }
  /// A file with ranges.
  void serve_file(const std::string& path, const std::string& content, FileBehaviour how = {}) {
    auto count = std::make_shared<std::atomic<std::size_t>>(0);
    on(path, [count, content, how](const ServedRequest& request) {
      HttpReply reply = file_reply(request, content, how);
      const std::size_t turn = count->fetch_add(1);
      if (turn < how.cut_after.size()) {
        reply.cut_after = how.cut_after[turn];
        reply.reset = how.reset;
      }
      return reply;
    });
  }

  std::vector<ServedRequest> requests() const {
    const std::lock_guard guard(mutex_);
    return requests_;
  }
  std::size_t count(const std::string& path) const {
    std::size_t result = 0;
    for (const ServedRequest& request : requests()) result += request.path == path;
    return result;
  }

 private:
  static HttpReply file_reply(const ServedRequest& request, const std::string& content,
                              const FileBehaviour& how) {
    HttpReply reply;
    if (!how.etag.empty()) reply.headers["ETag"] = how.etag;
    reply.body = content;
    std::string range = request.header("range");  // "bytes=N-"
    const std::string if_range = request.header("if-range");
    if (range.empty() || how.ranges == FileBehaviour::Ranges::ignored) return reply;
    if (!if_range.empty() && if_range != how.etag) return reply;
    const std::size_t from = std::stoull(range.substr(6));
    const std::string size = std::to_string(content.size());
    if (from >= content.size() || how.ranges == FileBehaviour::Ranges::refused) {
      return HttpReply{.status = 416, .headers = {{"Content-Range", "bytes */" + size}}};
    }
    const bool wrong = how.ranges == FileBehaviour::Ranges::wrong_start;
    const bool wrong_whole = how.ranges == FileBehaviour::Ranges::wrong_whole;
    reply.status = 206;
    reply.body = content.substr(from);
    reply.headers["Content-Range"] = "bytes " + std::to_string(wrong ? from - 1 : from) + "-" +
                                     std::to_string(content.size() - 1) + "/" +
                                     (wrong_whole ? "7" : size);
    return reply;
  }

  void accept_all() {
    while (true) {
      pollfd waits[2] = {{listener_, POLLIN, 0}, {wake_[0], POLLIN, 0}};
      if (poll(waits, 2, -1) < 0) continue;
      if (waits[1].revents != 0) return;
      const int fd = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
      if (fd < 0) continue;
      connections_.emplace_back([this, fd] { serve(fd); });
    }
  }

  void serve(int fd) {
    std::optional<ServedRequest> request = read_request(fd);
    bool reset = false;
    if (request) {
      Handler handler;
      {
        const std::lock_guard guard(mutex_);
        requests_.push_back(*request);
        const auto found = handlers_.find(request->path);
        if (found != handlers_.end()) handler = found->second;
      }
      const HttpReply reply = handler ? handler(*request) : HttpReply{.status = 404};
      send_reply(fd, reply);
      if (reply.hang) wait_for_end(fd);
      reset = reply.reset;
    }
    if (reset) {
      const linger now{1, 0};
      setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    } else {
      shutdown(fd, SHUT_WR);
      drain(fd);
    }
    close(fd);
  }

  std::optional<ServedRequest> read_request(int fd) {
    std::string text;
    while (text.find("\r\n\r\n") == std::string::npos) {
      char buffer[4096];
      if (!readable(fd)) return std::nullopt;
      const ssize_t count = recv(fd, buffer, sizeof buffer, 0);
      if (count <= 0 || text.size() > 1 << 20) return std::nullopt;
      text.append(buffer, static_cast<std::size_t>(count));
    }
    ServedRequest request;
    std::size_t start = text.find("\r\n");
    const std::string line = text.substr(0, start);
    request.method = line.substr(0, line.find(' '));
    request.path = line.substr(request.method.size() + 1);
    request.path.resize(request.path.find(' '));
    for (start += 2; start < text.size();) {
      const std::size_t end = text.find("\r\n", start);
      const std::string header = text.substr(start, end - start);
      start = end + 2;
      const std::size_t colon = header.find(": ");
      if (colon == std::string::npos) continue;
      std::string name = header.substr(0, colon);
      for (char& c : name) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
      request.headers[name] = header.substr(colon + 2);
    }
    return request;
  }

  void send_reply(int fd, const HttpReply& reply) {
    if (reply.no_answer) return;
    std::string head = "HTTP/1.1 " + std::to_string(reply.status) + " Scripted\r\n";
    for (const auto& [name, value] : reply.headers) head += name + ": " + value + "\r\n";
    const bool chunked = reply.chunked || reply.chunked_endless;
    if (chunked) {
      head += "Transfer-Encoding: chunked\r\n";
    } else if (!reply.no_length) {
      head +=
          "Content-Length: " + std::to_string(reply.content_length.value_or(reply.body.size())) +
          "\r\n";
    }
    head += "Connection: close\r\n\r\n";
    const std::string body = reply.body.substr(0, reply.cut_after.value_or(reply.body.size()));
    std::string all = head + body;
    if (chunked) {
      char size[32];
      std::snprintf(size, sizeof size, "%zx\r\n", body.size());
      all = head + (body.empty() ? "" : size + body + "\r\n") +
            (reply.chunked_endless ? "" : "0\r\n\r\n");
    }
    send_all(fd, all);
  }

  static void send_all(int fd, const std::string& text) {
    std::size_t done = 0;
    while (done < text.size()) {
      const ssize_t count = send(fd, text.data() + done, text.size() - done, MSG_NOSIGNAL);
      if (count <= 0) return;
      done += static_cast<std::size_t>(count);
    }
  }

  /// False when the server stops first.
  bool readable(int fd) {
    while (true) {
      {
        const std::lock_guard guard(mutex_);
        if (stopping_) return false;
      }
      pollfd wait = {fd, POLLIN, 0};
      if (poll(&wait, 1, 20) > 0) return true;
    }
  }

  /// Until the client closes or the server stops.
  void wait_for_end(int fd) {
    char byte = 0;
    while (readable(fd) && recv(fd, &byte, 1, 0) > 0) {
    }
  }

  /// An unread byte would turn our close into a reset.
  void drain(int fd) {
    char buffer[4096];
    pollfd wait = {fd, POLLIN, 0};
    while (poll(&wait, 1, 1000) > 0 && recv(fd, buffer, sizeof buffer, 0) > 0) {
    }
  }

  int listener_ = -1;
  int wake_[2] = {-1, -1};
  int port_ = 0;
  mutable std::mutex mutex_;
  std::condition_variable stopped_;
  bool stopping_ = false;
  std::map<std::string, Handler> handlers_;
  std::vector<ServedRequest> requests_;
  std::thread acceptor_;
  std::vector<std::thread> connections_;
};

}  // namespace img::test
