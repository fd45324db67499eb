#include "base/template_parser.h"

#include "base/template_lexer.h"
#include "base/template_literal.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>

namespace binnacle {
namespace {

using Token = TemplateToken;
using Kind = TemplateToken::Kind;
using Nodes = std::vector<TemplateNode>;

constexpr std::array<std::string_view, 10> kKeywords = {
    "if", "else", "end", "range", "with", "define", "template", "block", "break", "continue"};

bool is_keyword(const Token& token) {
  return token.kind == Kind::kIdentifier &&
         std::find(kKeywords.begin(), kKeywords.end(), token.text) != kKeywords.end();
}

bool is_keyword(const Token& token, std::string_view word) {
  return token.kind == Kind::kIdentifier && token.text == word;
}

class Parser {
 public:
  Parser(std::shared_ptr<const TemplateSource> source,
         const std::function<bool(std::string_view)>& is_function)
      : source_(std::move(source)), lexer_(source_->text), is_function_(is_function) {}

  Result<TemplateDefinitions> parse() {
    auto result = whole();
    if (result) return result;
    return fail(result.error().code,
                fmt::format("{}: {}", source_->place(error_at_.value_or(lexer_.place())),
                            result.error().message));
  }

 private:
  // How a list of nodes came to its end.
  enum class Stop : uint8_t { kEndOfText, kEnd, kElse };

  // How deep the parser is in itself.
  class Deeper {
   public:
    explicit Deeper(int& depth) : depth_(++depth) {}
    ~Deeper() { --depth_; }
    Deeper(const Deeper&) = delete;
    Deeper& operator=(const Deeper&) = delete;

   private:
    int& depth_;
  };

  Status check_depth() {
    if (depth_ <= kMaxTemplateNesting) return {};
    return error(fmt::format("nested deeper than {}", kMaxTemplateNesting));
  }

  Unexpected error_at(uint32_t at, std::string message) {
    error_at_ = at;
    return fail(Code::kInvalidArgument, std::move(message));
  }
  Unexpected error(std::string message) { return error_at(token_.at, std::move(message)); }
  Unexpected unexpected(std::string_view where) {
    if (token_.kind == Kind::kEnd) return error(fmt::format("unexpected end in {}", where));
    if (token_.kind == Kind::kRightDelimiter)
      return error(fmt::format("missing value for {}", where));
    return error(fmt::format("unexpected {:?} in {}", token_.text, where));
  }

  Status next() {
    TRY_ASSIGN(token_, lexer_.next());
    return {};
  }
  Status next_word() {
    do {
      TRY(next());
    } while (token_.kind == Kind::kSpace);
    return {};
  }

  Result<TemplateDefinitions> whole();
  Status define(std::string name, Nodes body);
  Result<Nodes> list(Stop& stop);
  Status action(Nodes& out, std::optional<Stop>& stop);
  Status control(Nodes& out, TemplateNode::Kind kind, std::string_view word);
  Status control_else(TemplateNode& node, std::string_view word);
  Status define_action();
  Status call_action(Nodes& out);
  Status block_action(Nodes& out);
  Status jump_action(Nodes& out, TemplateNode::Kind kind);
  Result<std::string> definition_name(std::string_view where);
  Status expect_right(std::string_view where);

  Result<std::shared_ptr<TemplatePipe>> pipe(std::string_view where, Kind end);
  Status declarations(TemplatePipe& out, std::string_view where);
  Result<TemplateCommand> command(std::string_view where, Kind end);
  Result<std::optional<TemplateOperand>> operand();
  Result<std::optional<TemplateOperand>> term();
  Result<TemplateOperand> identifier();
  Status check_commands(const TemplatePipe& pipe);

  std::shared_ptr<const TemplateSource> source_;
  TemplateLexer lexer_;
  const std::function<bool(std::string_view)>& is_function_;
  Token token_;
  std::optional<uint32_t> error_at_;
  TemplateDefinitions definitions_;
  std::vector<std::string> variables_ = {"$"};
  int depth_ = 0;
  int ranges_ = 0;  // that are open
};

Result<TemplateDefinitions> Parser::whole() {
  if (source_->text.size() > kMaxTemplateBytes)
    return error(fmt::format("the template is larger than {} bytes", kMaxTemplateBytes));
  Stop stop = Stop::kEndOfText;
  TRY_ASSIGN(Nodes body, list(stop));
  if (stop == Stop::kEnd) return error("unexpected {{end}}");
  if (stop == Stop::kElse) return error("unexpected {{else}}");
  TRY(define(source_->name, std::move(body)));
  return std::move(definitions_);
}

Status Parser::define(std::string name, Nodes body) {
  auto definition = std::make_shared<TemplateDefinition>();
  definition->name = name;
  definition->source = source_;
  definition->body = std::move(body);
  auto& slot = definitions_[name];
  if (!slot || slot->blank()) {
    slot = std::move(definition);
  } else if (!definition->blank()) {
    return error(fmt::format("the template {:?} is defined twice", name));
  }
  return {};
}

// Up to the end of the text, {{end}}, or {{else}, which is left for control_else.
Result<Nodes> Parser::list(Stop& stop) {
  const Deeper deeper(depth_);
  TRY(check_depth());
  Nodes out;
  for (;;) {
    TRY(next());
    if (token_.kind == Kind::kEnd) {
      stop = Stop::kEndOfText;
      return out;
    }
    if (token_.kind == Kind::kText) {
      TemplateNode node;
      node.at = token_.at;
      node.text = token_.text;
      out.push_back(std::move(node));
      continue;
    }
    std::optional<Stop> stopped;
    TRY(action(out, stopped));
    if (!stopped) continue;
    stop = *stopped;
    return out;
  }
}

// After "{{".
Status Parser::action(Nodes& out, std::optional<Stop>& stop) {
  using enum TemplateNode::Kind;
  TRY(next_word());
  if (is_keyword(token_, "if")) return control(out, kIf, "if");
  if (is_keyword(token_, "range")) return control(out, kRange, "range");
  if (is_keyword(token_, "with")) return control(out, kWith, "with");
  if (is_keyword(token_, "define")) return define_action();
  if (is_keyword(token_, "template")) return call_action(out);
  if (is_keyword(token_, "block")) return block_action(out);
  if (is_keyword(token_, "break")) return jump_action(out, kBreak);
  if (is_keyword(token_, "continue")) return jump_action(out, kContinue);
  if (is_keyword(token_, "end")) {
    stop = Stop::kEnd;
    return expect_right("end");
  }
  if (is_keyword(token_, "else")) {
    stop = Stop::kElse;
    return {};
  }
  TemplateNode node;
  node.kind = kAction;
  node.at = token_.at;
  TRY_ASSIGN(node.pipe, pipe("command", Kind::kRightDelimiter));
  out.push_back(std::move(node));
  return {};
}

Status Parser::expect_right(std::string_view where) {
  TRY(next_word());
  if (token_.kind != Kind::kRightDelimiter) return unexpected(where);
  return {};
}

// After `if`, `range` or `with`: to the {{end}} that belongs to it.
Status Parser::control(Nodes& out, TemplateNode::Kind kind, std::string_view word) {
  const size_t outer_variables = variables_.size();
  const Deeper deeper(depth_);
  TRY(check_depth());
  TemplateNode node;
  node.kind = kind;
  node.at = token_.at;
  TRY(next_word());
  TRY_ASSIGN(node.pipe, pipe(word, Kind::kRightDelimiter));
  Stop stop = Stop::kEnd;
  ranges_ += kind == TemplateNode::Kind::kRange ? 1 : 0;
  TRY_ASSIGN(node.body, list(stop));
  ranges_ -= kind == TemplateNode::Kind::kRange ? 1 : 0;
  if (stop == Stop::kElse) {
    TRY(control_else(node, word));
  } else if (stop == Stop::kEndOfText) {
    return error_at(node.at, fmt::format("{{{{{}}}}} has no {{{{end}}}}", word));
  }
  variables_.resize(outer_variables);
  out.push_back(std::move(node));
  return {};
}

// After `else`: "}}" and a list, or `if` or `with` again, whose {{end}} is also this one's.
Status Parser::control_else(TemplateNode& node, std::string_view word) {
  TRY(next_word());
  if (word == "if" && is_keyword(token_, "if"))
    return control(node.otherwise, TemplateNode::Kind::kIf, "if");
  if (word == "with" && is_keyword(token_, "with"))
    return control(node.otherwise, TemplateNode::Kind::kWith, "with");
  if (token_.kind != Kind::kRightDelimiter) return unexpected("else");
  Stop stop = Stop::kEnd;
  TRY_ASSIGN(node.otherwise, list(stop));
  if (stop == Stop::kElse) return error("expected {{end}}, found a second {{else}}");
  if (stop == Stop::kEndOfText)
    return error_at(node.at, fmt::format("{{{{{}}}}} has no {{{{end}}}}", word));
  return {};
}

// A name in quotes.
Result<std::string> Parser::definition_name(std::string_view where) {
  TRY(next_word());
  if (token_.kind == Kind::kRawString)
    return std::string(token_.text.substr(1, token_.text.size() - 2));
  if (token_.kind != Kind::kString) return unexpected(where);
  return parse_template_string(token_.text);
}

Status Parser::define_action() {
  const uint32_t at = token_.at;
  if (depth_ > 1) return error("{{define}} inside of another action");
  TRY_ASSIGN(std::string name, definition_name("define"));
  TRY(expect_right("define"));
  std::vector<std::string> variables = {"$"};
  variables.swap(variables_);
  Stop stop = Stop::kEnd;
  TRY_ASSIGN(Nodes body, list(stop));
  variables.swap(variables_);
  if (stop == Stop::kElse) return error("unexpected {{else}} in define");
  if (stop == Stop::kEndOfText) return error_at(at, "{{define}} has no {{end}}");
  return define(std::move(name), std::move(body));
}

Status Parser::call_action(Nodes& out) {
  TemplateNode node;
  node.kind = TemplateNode::Kind::kCall;
  node.at = token_.at;
  TRY_ASSIGN(node.text, definition_name("template"));
  TRY(next_word());
  if (token_.kind != Kind::kRightDelimiter) {
    TRY_ASSIGN(node.pipe, pipe("template", Kind::kRightDelimiter));
  }
  out.push_back(std::move(node));
  return {};
}

Status Parser::block_action(Nodes& out) {
  TemplateNode node;
  node.kind = TemplateNode::Kind::kCall;
  node.at = token_.at;
  TRY_ASSIGN(node.text, definition_name("block"));
  TRY(next_word());
  TRY_ASSIGN(node.pipe, pipe("block", Kind::kRightDelimiter));
  std::vector<std::string> variables = {"$"};
  variables.swap(variables_);
  int ranges = 0;
  std::swap(ranges, ranges_);
  Stop stop = Stop::kEnd;
  TRY_ASSIGN(Nodes body, list(stop));
  variables.swap(variables_);
  std::swap(ranges, ranges_);
  if (stop == Stop::kElse) return error("unexpected {{else}} in block");
  if (stop == Stop::kEndOfText) return error_at(node.at, "{{block}} has no {{end}}");
  TRY(define(node.text, std::move(body)));
  out.push_back(std::move(node));
  return {};
}

Status Parser::jump_action(Nodes& out, TemplateNode::Kind kind) {
  const std::string word(token_.text);
  TemplateNode node;
  node.kind = kind;
  node.at = token_.at;
  TRY(expect_right(word));
  if (ranges_ == 0)
    return error_at(node.at, fmt::format("{{{{{}}}}} outside of {{{{range}}}}", word));
  out.push_back(std::move(node));
  return {};
}

// From the current token, which is no space, through `end`.
Result<std::shared_ptr<TemplatePipe>> Parser::pipe(std::string_view where, Kind end) {
  const Deeper deeper(depth_);
  TRY(check_depth());
  auto out = std::make_shared<TemplatePipe>();
  out->at = token_.at;
  if (token_.kind == Kind::kVariable) TRY(declarations(*out, where));
  for (;;) {
    if (token_.kind == end && out->commands.empty()) break;
    TRY_ASSIGN(TemplateCommand next_command, command(where, end));
    out->commands.push_back(std::move(next_command));
    if (token_.kind == end) break;
    TRY(next_word());  // after the '|'
    if (token_.kind == end) return unexpected(where);
  }
  TRY(check_commands(*out));
  return out;
}

// "$x :=", "$x =", "$i, $x :=". Where it is none of these, the lexer goes back to the variable.
Status Parser::declarations(TemplatePipe& out, std::string_view where) {
  const TemplateLexer before_lexer = lexer_;
  const Token before_token = token_;
  std::vector<std::string> names = {std::string(token_.text)};
  TRY(next_word());
  if (token_.kind == Kind::kComma && where == "range") {
    TRY(next_word());
    if (token_.kind != Kind::kVariable) return unexpected("the variables of range");
    names.emplace_back(token_.text);
    TRY(next_word());
  }
  if (token_.kind != Kind::kDeclare && token_.kind != Kind::kAssign) {
    if (names.size() > 1) return unexpected("the variables of range");
    if (token_.kind == Kind::kComma) return error("only range sets two variables");
    lexer_ = before_lexer;
    token_ = before_token;
    return {};
  }
  out.declares = token_.kind == Kind::kDeclare;
  for (const std::string& name : names) {
    const bool known = std::find(variables_.begin(), variables_.end(), name) != variables_.end();
    if (!out.declares && !known)
      return error_at(before_token.at, fmt::format("the variable {} is not defined", name));
  }
  out.variables = std::move(names);
  TRY(next_word());
  // What is set is known from the next action on; Go knows it in its own pipeline already.
  if (out.declares) variables_.insert(variables_.end(), out.variables.begin(), out.variables.end());
  return {};
}

// A pipeline that is piped into a constant makes no sense.
Status Parser::check_commands(const TemplatePipe& pipe) {
  using enum TemplateOperand::Kind;
  if (pipe.commands.empty()) return unexpected("a pipeline");
  for (size_t i = 1; i < pipe.commands.size(); ++i) {
    const TemplateOperand& first = pipe.commands[i].words.front();
    const bool constant = first.kind == kLiteral || first.kind == kNil ||
                          (first.kind == kDot && first.fields.empty());
    if (constant)
      return error_at(first.at, "a pipeline goes on with a function or a method, not a value");
  }
  return {};
}

// Words up to '|' or `end`, which is then the current token.
Result<TemplateCommand> Parser::command(std::string_view where, Kind end) {
  TemplateCommand out;
  out.at = token_.at;
  for (;;) {
    TRY_ASSIGN(std::optional<TemplateOperand> word, operand());
    if (!word) return unexpected(where);
    out.words.push_back(*std::move(word));
    const bool space = token_.kind == Kind::kSpace;
    if (space) TRY(next_word());
    if (token_.kind == end || token_.kind == Kind::kPipe) return out;
    if (!space) return unexpected(where);
  }
}

// A term and the fields after it; the current token is then what follows.
Result<std::optional<TemplateOperand>> Parser::operand() {
  TRY_ASSIGN(std::optional<TemplateOperand> out, term());
  if (!out) return out;
  while (token_.kind == Kind::kField) {
    const bool plain =
        out->kind == TemplateOperand::Kind::kLiteral || out->kind == TemplateOperand::Kind::kNil;
    if (plain) return error("a constant has no fields");
    out->fields.emplace_back(token_.text);
    TRY(next());
  }
  return out;
}

Result<std::optional<TemplateOperand>> Parser::term() {
  using enum TemplateOperand::Kind;
  TemplateOperand out;
  out.at = token_.at;
  switch (token_.kind) {
    case Kind::kDot: {
      TRY(next());
      if (token_.kind == Kind::kField) return error("unexpected field after '.'");
      return out;
    }
    case Kind::kField:
      out.fields.emplace_back(token_.text);
      break;
    case Kind::kVariable:
      out.kind = kVariable;
      out.name = token_.text;
      if (std::find(variables_.begin(), variables_.end(), out.name) == variables_.end())
        return error(fmt::format("the variable {} is not defined", out.name));
      break;
    case Kind::kIdentifier: {
      TRY_ASSIGN(out, identifier());
      break;
    }
    case Kind::kNumber: {
      out.kind = kLiteral;
      TRY_ASSIGN(out.literal, parse_template_number(token_.text));
      break;
    }
    case Kind::kCharacter: {
      out.kind = kLiteral;
      TRY_ASSIGN(const int64_t value, parse_template_character(token_.text));
      out.literal = value;
      break;
    }
    case Kind::kString: {
      out.kind = kLiteral;
      TRY_ASSIGN(std::string value, parse_template_string(token_.text));
      out.literal = std::move(value);
      break;
    }
    case Kind::kRawString:
      out.kind = kLiteral;
      out.literal = token_.text.substr(1, token_.text.size() - 2);
      break;
    case Kind::kLeftParen: {
      out.kind = kPipe;
      TRY(next_word());
      TRY_ASSIGN(out.pipe, pipe("parentheses", Kind::kRightParen));
      break;
    }
    default:
      return std::optional<TemplateOperand>();
  }
  TRY(next());
  return out;
}

Result<TemplateOperand> Parser::identifier() {
  using enum TemplateOperand::Kind;
  TemplateOperand out;
  out.at = token_.at;
  if (token_.text == "true" || token_.text == "false") {
    out.kind = kLiteral;
    out.literal = token_.text == "true";
  } else if (token_.text == "nil") {
    out.kind = kNil;
  } else if (is_keyword(token_)) {
    return error(fmt::format("unexpected {{{{{}}}}}", token_.text));
  } else {
    out.kind = kFunction;
    out.name = token_.text;
    if (!is_function_(out.name)) return error(fmt::format("there is no function {:?}", out.name));
  }
  return out;
}

}  // namespace

std::string TemplateSource::place(uint32_t offset) const {
  const std::string_view before =
      std::string_view(text).substr(0, offset).substr(std::min<size_t>(offset, preamble));
  const size_t line_start = before.rfind('\n') + 1;  // npos + 1 is 0
  return fmt::format("{}:{}:{}", name, 1 + std::count(before.begin(), before.end(), '\n'),
                     1 + before.size() - line_start);
}

bool TemplateDefinition::blank() const {
  return std::all_of(body.begin(), body.end(), [](const TemplateNode& node) {
    return node.kind == TemplateNode::Kind::kText &&
           node.text.find_first_not_of(" \t\r\n") == std::string::npos;
  });
}

Result<TemplateDefinitions> parse_template(
    std::shared_ptr<const TemplateSource> source,
    const std::function<bool(std::string_view)>& is_function) {
  return Parser(std::move(source), is_function).parse();
}

}  // namespace binnacle
