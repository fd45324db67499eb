#include "watch/alerts/template_check.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <string>
#include <utility>
#include <vector>

#include "watch/alerts/route_yaml.h"

namespace binnacle::watch::alerts {
namespace {

using Texts = std::vector<std::pair<std::string, std::string>>;  // field, text

Texts texts_of(const WebhookConfig& c) { return {{"url", c.url.value}}; }

Texts texts_of(const SlackConfig& c) {
  Texts out = {{"channel", c.channel},
               {"username", c.username},
               {"color", c.color},
               {"title", c.title},
               {"title_link", c.title_link},
               {"pretext", c.pretext},
               {"text", c.text},
               {"fallback", c.fallback},
               {"callback_id", c.callback_id},
               {"icon_emoji", c.icon_emoji},
               {"icon_url", c.icon_url},
               {"image_url", c.image_url},
               {"thumb_url", c.thumb_url},
               {"footer", c.footer}};
  for (const SlackField& field : c.fields) {
    out.emplace_back("fields.title", field.title);
    out.emplace_back("fields.value", field.value);
  }
  for (const SlackAction& action : c.actions) {
    out.emplace_back("actions.text", action.text);
    out.emplace_back("actions.url", action.url);
    out.emplace_back("actions.value", action.value);
  }
  return out;
}

Texts texts_of(const EmailConfig& c) {
  Texts out = {{"to", c.to}, {"from", c.from}, {"html", c.html}, {"text", c.text}};
  for (const auto& [name, value] : c.headers) out.emplace_back("headers." + name, value);
  return out;
}

Texts texts_of(const PagerDutyConfig& c) {
  Texts out = {
      {"client", c.client},     {"client_url", c.client_url}, {"description", c.description},
      {"severity", c.severity}, {"source", c.source},         {"component", c.component},
      {"group", c.group},       {"class", c.class_name}};
  for (const auto& [name, value] : c.details) out.emplace_back("details." + name, value);
  for (const auto& image : c.images) {
    out.emplace_back("images.src", image.src);
    out.emplace_back("images.alt", image.alt);
    out.emplace_back("images.href", image.href);
  }
  for (const auto& link : c.links) {
    out.emplace_back("links.href", link.href);
    out.emplace_back("links.text", link.text);
  }
  return out;
}

Texts texts_of(const TeamsConfig& c) {
  return {{"title", c.title}, {"summary", c.summary}, {"text", c.text}};
}

Texts texts_of(const DiscordConfig& c) {
  return {{"title", c.title},
          {"message", c.message},
          {"content", c.content},
          {"username", c.username},
          {"avatar_url", c.avatar_url}};
}

Texts texts_of(const TelegramConfig& c) { return {{"message", c.message}}; }

Texts texts_of(const ExecConfig&) { return {}; }

}  // namespace

Status check_templates(const AlertConfig& config, const TemplateSet& templates) {
  std::vector<std::string> problems;
  const auto check = [&](const std::string& place, const std::string& text) {
    if (const Status status = templates.check(place, text); !status) {
      problems.push_back(status.error().message);
    }
  };
  for (const auto& [name, receiver] : config.receivers) {
    for (const Integration& one : receiver.integrations) {
      const std::string place = fmt::format("receivers.{}.{}[{}]", name, one.kind, one.index);
      const Texts texts = std::visit([](const auto& c) { return texts_of(c); }, one.config);
      for (const auto& [field, text] : texts) check(fmt::format("{}.{}", place, field), text);
    }
  }
  visit_routes(config.route, [&](const Route& route) {
    for (const auto& [name, text] : route.labels) {
      check(fmt::format("route {}: labels.{}", route.key, name), text);
    }
  });
  if (problems.empty()) return {};
  return fail(Code::kInvalidArgument, fmt::format("{}", fmt::join(problems, "\n")));
}

}  // namespace binnacle::watch::alerts
