#include "show/page.h"

#include <algorithm>
#include <array>
#include <string>

#include "base/check.h"
#include "net/field_value.h"
#include "show/page_files.h"

namespace binnacle::show {
namespace {

using net::Request;
using net::Response;

// Everything the page needs comes from this server and from files; `frame-ancestors` keeps others
// from putting it into a frame and guiding clicks. Scripts set styles through the DOM, which needs
// no exception here.
constexpr std::string_view kContentSecurityPolicy =
    "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src "
    "'none'";
constexpr std::string_view kForGood = "public, max-age=31536000, immutable";
constexpr std::string_view kAskAgain = "no-cache";

// The addresses that the page itself understands (web/src/address/route.ts). A catch-all would
// answer a mistyped API address with HTML and status 200.
constexpr std::array<std::string_view, 8> kPageAddresses = {
    "/",        "/hosts",  "/hosts/{instance}", "/explore",
    "/targets", "/alerts", "/alerts/{view}",    "/status"};

struct ContentType {
  std::string_view suffix;
  std::string_view type;
};
constexpr std::array<ContentType, 4> kContentTypes = {{
    {".html", "text/html; charset=utf-8"},
    {".js", "text/javascript; charset=utf-8"},
    {".css", "text/css; charset=utf-8"},
    {".svg", "image/svg+xml"},
}};

std::string_view content_type_of(std::string_view name) {
  for (const ContentType& entry : kContentTypes) {
    if (name.ends_with(entry.suffix)) return entry.type;
  }
  return "application/octet-stream";
}

const PageFile* find_file(std::string_view name) {
  const auto files = page_files();
  const auto it = std::ranges::find(files, name, &PageFile::name);
  return it == files.end() ? nullptr : &*it;
}

// The file that was `stem`.svg and the like before the build put its hash into the name.
const PageFile* find_hashed(std::string_view stem, std::string_view suffix) {
  const auto files = page_files();
  const auto it = std::ranges::find_if(files, [&](const PageFile& file) {
    return file.name.starts_with(stem) && file.name.ends_with(suffix);
  });
  return it == files.end() ? nullptr : &*it;
}

// If-None-Match: `*`, or a list of tags, weak or not (RFC 9110 §13.1.2).
bool names_tag(std::string_view list, std::string_view tag) {
  while (!list.empty()) {
    std::string_view one = net::take_element(list, ',');
    if (one.starts_with("W/")) one.remove_prefix(2);
    if (one == "*" || one == tag) return true;
  }
  return false;
}

// Not net::negotiate_coding: a browser may like zstd better, but these files lie here as gzip or
// plain.
bool takes_gzip(std::string_view accepted) {
  while (!accepted.empty()) {
    std::string_view element = net::take_element(accepted, ',');
    const std::string_view name = net::take_element(element, ';');
    if (!net::equal_ignoring_case(name, "gzip") && name != "*") continue;
    const std::string_view quality = net::trim_field(element);
    return !quality.starts_with("q=0") ||
           quality.find_first_of("123456789") != std::string_view::npos;
  }
  return false;
}

Response serve(const Request& request, const PageFile& file, std::string_view cache_control) {
  const bool gzip = takes_gzip(request.header("Accept-Encoding"));
  std::string tag = "\"" + std::string(file.hash) + (gzip ? "-gzip\"" : "\"");
  Response response;
  response.headers.set("ETag", tag);
  response.headers.set("Cache-Control", cache_control);
  response.headers.set("Vary", "Accept-Encoding");
  if (names_tag(request.header("If-None-Match"), tag)) {
    response.status = 304;
    return response;
  }
  response.headers.set("Content-Type", content_type_of(file.name));
  response.headers.set("X-Content-Type-Options", "nosniff");
  if (gzip) response.headers.set("Content-Encoding", "gzip");
  response.body = gzip ? file.gzip : file.plain;
  return response;
}

Response serve_document(const Request& request, const PageFile& file) {
  Response response = serve(request, file, kAskAgain);
  response.headers.set("Content-Security-Policy", kContentSecurityPolicy);
  response.headers.set("Referrer-Policy", "same-origin");
  response.headers.set("X-Frame-Options", "DENY");
  return response;
}

Response serve_asset(const Request& request) {
  const PageFile* file = find_file(request.path_param("file"));
  // Documents have their own addresses, with the headers that belong to them.
  if (file == nullptr || file->name.ends_with(".html")) {
    return Response::error(Error{
        Code::kNotFound, "asset: no such file; reload the page, it may be from before an update"});
  }
  return serve(request, *file, kForGood);
}

Status add_get(net::Router& router, std::string_view pattern, Role role, net::Handler handler) {
  net::Route route;
  route.pattern = std::string(pattern);
  route.group = net::RouteGroup::kPage;
  route.role = role;
  route.handler = std::move(handler);
  route.run_on = net::RunOn::kIoThread;
  return router.add(std::move(route));
}

}  // namespace

Status register_page_routes(net::Router& router) {
  const PageFile* index = find_file("index.html");
  const PageFile* login = find_file("login.html");
  const PageFile* icon = find_hashed("favicon-", ".svg");
  CHECK(index != nullptr && login != nullptr && icon != nullptr);
  for (const std::string_view address : kPageAddresses) {
    TRY(add_get(router, address, Role::kViewer,
                [index](const Request& r) { return serve_document(r, *index); }));
  }
  TRY(add_get(router, "/login", Role::kPublic,
              [login](const Request& r) { return serve_document(r, *login); }));
  TRY(add_get(router, "/favicon.ico", Role::kPublic,
              [icon](const Request& r) { return serve(r, *icon, kAskAgain); }));
  return add_get(router, "/assets/{file}", Role::kPublic, serve_asset);
}

}  // namespace binnacle::show
