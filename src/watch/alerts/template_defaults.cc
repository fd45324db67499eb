#include "watch/alerts/template_defaults.h"

namespace binnacle::watch::alerts {
namespace {

// What a notification knows beyond Alertmanager's data, its context, is added by the receivers.
// The subject has Alertmanager's form, "[FIRING:2] group (what else all alerts share)", since
// people filter mail by it.
constexpr std::string_view kDefaults = R"TEMPLATE(
{{- define "__alertmanager" }}Binnacle{{ end }}
{{- define "__alertmanagerURL" -}}
  {{ .ExternalURL }}/#/alerts?receiver={{ urlquery .Receiver }}
{{- end }}
{{- define "__description" }}{{ end }}

{{- define "__subject" -}}
  {{- $count := "" }}
  {{- if eq .Status "firing" }}{{ $count = printf ":%d" (len .Alerts.Firing) }}{{ end -}}
  [{{ toUpper .Status }}{{ $count }}] {{ join " " .GroupLabels.SortedPairs.Values }}
  {{- print " " }}
  {{- with .CommonLabels.Remove .GroupLabels.Names }}({{ join " " .Values }}){{ end }}
{{- end }}

{{- define "__text_alert" -}}
{{ or .Labels.alertname "Alert" }} since {{ .StartsAt.Format "2006-01-02 15:04:05 MST" }}
{{- range .Labels.SortedPairs }}
  {{ .Name }}: {{ .Value }}
{{- end }}
{{- range .Annotations.SortedPairs }}
  {{ .Name }}: {{ .Value }}
{{- end }}
{{- with .GeneratorURL }}
  from: {{ . }}
{{- end }}
{{- end }}

{{- define "__text_alert_list" }}{{ range . }}{{ template "__text_alert" . }}
{{ end }}{{ end }}

{{- define "__text_alert_list_markdown" }}{{ range . }}
**{{ or .Labels.alertname "Alert" }}** since {{ .StartsAt.Format "2006-01-02 15:04:05 MST" }}

{{ range .Labels.SortedPairs }}- {{ .Name }}: {{ .Value }}
{{ end }}{{ range .Annotations.SortedPairs }}- {{ .Name }}: {{ .Value }}
{{ end }}{{ with .GeneratorURL }}- from: {{ . }}
{{ end }}{{ end }}{{ end }}

{{- define "__text_all" }}
{{- with .Alerts.Firing }}Firing:
{{ template "__text_alert_list" . }}{{ end }}
{{- with .Alerts.Resolved }}Resolved:
{{ template "__text_alert_list" . }}{{ end }}
{{- end }}

{{- define "__markdown_all" }}
{{- with .Alerts.Firing }}# Firing
{{ template "__text_alert_list_markdown" . }}{{ end }}
{{- with .Alerts.Resolved }}# Resolved
{{ template "__text_alert_list_markdown" . }}{{ end }}
{{- end }}

{{- define "__summary_and_text" }}
{{- with .CommonAnnotations.SortedPairs.Values }}{{ join " " . }}
{{ end }}{{ template "__text_all" . }}
{{- end }}

{{- define "__color" }}{{ if eq .Status "firing" }}danger{{ else }}good{{ end }}{{ end }}

{{- define "slack.default.title" }}{{ template "__subject" . }}{{ end }}
{{- define "slack.default.username" }}{{ template "__alertmanager" . }}{{ end }}
{{- define "slack.default.fallback" -}}
  {{ template "slack.default.title" . }} | {{ template "slack.default.titlelink" . }}
{{- end }}
{{- define "slack.default.callbackid" }}{{ end }}
{{- define "slack.default.pretext" }}{{ end }}
{{- define "slack.default.titlelink" }}{{ template "__alertmanagerURL" . }}{{ end }}
{{- define "slack.default.iconemoji" }}{{ end }}
{{- define "slack.default.iconurl" }}{{ end }}
{{- define "slack.default.text" }}{{ end }}
{{- define "slack.default.footer" }}{{ end }}
{{- define "slack.default.color" }}{{ template "__color" . }}{{ end }}

{{- define "pagerduty.default.description" }}{{ template "__subject" . }}{{ end }}
{{- define "pagerduty.default.client" }}{{ template "__alertmanager" . }}{{ end }}
{{- define "pagerduty.default.clientURL" }}{{ template "__alertmanagerURL" . }}{{ end }}
{{- define "pagerduty.default.instances" }}{{ template "__text_alert_list" . }}{{ end }}

{{- define "opsgenie.default.message" }}{{ template "__subject" . }}{{ end }}
{{- define "opsgenie.default.description" }}{{ template "__summary_and_text" . }}{{ end }}
{{- define "opsgenie.default.source" }}{{ template "__alertmanagerURL" . }}{{ end }}

{{- define "wechat.default.message" }}{{ template "__subject" . }}
{{ template "__summary_and_text" . }}{{ template "__alertmanagerURL" . }}{{ end }}
{{- define "wechat.default.to_user" }}{{ end }}
{{- define "wechat.default.to_party" }}{{ end }}
{{- define "wechat.default.to_tag" }}{{ end }}
{{- define "wechat.default.agent_id" }}{{ end }}

{{- define "victorops.default.state_message" }}{{ template "__summary_and_text" . }}{{ end }}
{{- define "victorops.default.entity_display_name" }}{{ template "__subject" . }}{{ end }}
{{- define "victorops.default.monitoring_tool" }}{{ template "__alertmanager" . }}{{ end }}

{{- define "pushover.default.title" }}{{ template "__subject" . }}{{ end }}
{{- define "pushover.default.message" }}{{ template "__summary_and_text" . }}{{ end }}
{{- define "pushover.default.url" }}{{ template "__alertmanagerURL" . }}{{ end }}

{{- define "sns.default.subject" }}{{ template "__subject" . }}{{ end }}
{{- define "sns.default.message" }}{{ template "__summary_and_text" . }}{{ end }}

{{- define "telegram.default.message" }}{{ template "__text_all" . }}{{ end }}

{{- define "discord.default.content" }}{{ end }}
{{- define "discord.default.title" }}{{ template "__subject" . }}{{ end }}
{{- define "discord.default.message" }}{{ template "__text_all" . }}{{ end }}

{{- define "webex.default.message" }}{{ template "__summary_and_text" . }}{{ end }}

{{- define "msteams.default.summary" }}{{ template "__subject" . }}{{ end }}
{{- define "msteams.default.title" }}{{ template "__subject" . }}{{ end }}
{{- define "msteams.default.text" }}{{ template "__markdown_all" . }}{{ end }}
{{- define "msteamsv2.default.title" }}{{ template "__subject" . }}{{ end }}
{{- define "msteamsv2.default.text" }}{{ template "__markdown_all" . }}{{ end }}

{{- define "jira.default.summary" }}{{ template "__subject" . }}{{ end }}
{{- define "jira.default.description" }}{{ template "__markdown_all" . }}{{ end }}
{{- define "jira.default.priority" }}
  {{- $alerts := or .Alerts.Firing .Alerts.Resolved }}
  {{- $rank := 0 }}
  {{- range $alerts }}
    {{- $severity := .Labels.severity }}
    {{- if eq $severity "critical" }}{{ $rank = 3 }}{{ end }}
    {{- if and (eq $severity "warning") (lt $rank 2) }}{{ $rank = 2 }}{{ end }}
    {{- if and (eq $severity "info") (lt $rank 1) }}{{ $rank = 1 }}{{ end }}
  {{- end }}
  {{- index (stringSlice "" "Low" "Medium" "High") $rank }}
{{- end }}

{{- define "rocketchat.default.title" }}{{ template "__subject" . }}{{ end }}
{{- define "rocketchat.default.alias" }}{{ template "__alertmanager" . }}{{ end }}
{{- define "rocketchat.default.titlelink" }}{{ template "__alertmanagerURL" . }}{{ end }}
{{- define "rocketchat.default.emoji" }}{{ end }}
{{- define "rocketchat.default.iconurl" }}{{ end }}
{{- define "rocketchat.default.text" }}{{ end }}

{{- define "mattermost.default.color" }}{{ template "__color" . }}{{ end }}
{{- define "mattermost.default.username" }}{{ template "__alertmanager" . }}{{ end }}
{{- define "mattermost.default.title" }}{{ template "__subject" . }}{{ end }}
{{- define "mattermost.default.titlelink" }}{{ template "__alertmanagerURL" . }}{{ end }}
{{- define "mattermost.default.fallback" -}}
  {{ template "mattermost.default.title" . }} | {{ template "mattermost.default.titlelink" . }}
{{- end }}
{{- define "mattermost.default.text" }}{{ template "__markdown_all" . }}{{ end }}

{{- define "email.default.subject" }}{{ template "__subject" . }}{{ end }}
{{- define "__html_alert" }}
<table style="border-collapse:collapse;margin:0 0 16px">
<tr><td colspan="2"><b>{{ or .Labels.alertname "Alert" }}</b>
since {{ .StartsAt.Format "2006-01-02 15:04:05 MST" }}</td></tr>
{{ range .Labels.SortedPairs }}<tr><td style="padding-right:12px">{{ .Name }}</td><td>{{ .Value }}</td></tr>
{{ end }}{{ range .Annotations.SortedPairs }}<tr><td style="padding-right:12px"><i>{{ .Name }}</i></td><td>{{ .Value }}</td></tr>
{{ end }}{{ with .GeneratorURL }}{{ if match "^https?://" . }}<tr><td colspan="2"><a href="{{ . }}">Where it comes from</a></td></tr>
{{ end }}{{ end }}</table>
{{- end }}
{{- define "email.default.html" -}}
<!DOCTYPE html>
<html>
<head><meta charset="utf-8"><title>{{ template "__subject" . }}</title></head>
<body style="font-family:sans-serif;font-size:14px">
<h2 style="color:{{ if eq .Status "firing" }}#b00020{{ else }}#1b7a3d{{ end }}">{{ len .Alerts }} alert{{ if gt (len .Alerts) 1 }}s{{ end }} for{{ range .GroupLabels.SortedPairs }} {{ .Name }}={{ .Value }}{{ end }}</h2>
<p><a href="{{ template "__alertmanagerURL" . }}">Open in {{ template "__alertmanager" . }}</a></p>
{{ with .Alerts.Firing }}<h3>Firing ({{ len . }})</h3>
{{ range . }}{{ template "__html_alert" . }}
{{ end }}{{ end }}
{{- with .Alerts.Resolved }}<h3>Resolved ({{ len . }})</h3>
{{ range . }}{{ template "__html_alert" . }}
{{ end }}{{ end }}
</body>
</html>
{{- end }}
)TEMPLATE";

}  // namespace

std::string_view default_templates() { return kDefaults; }

}  // namespace binnacle::watch::alerts
