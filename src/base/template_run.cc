#include "base/template_run.h"

#include "base/template_builtins.h"
#include "base/template_escape.h"
#include "base/template_format.h"
#include "base/template_safe_text.h"
#include "base/template_time.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

namespace binnacle {
namespace {

using Args = std::vector<TemplateValue>;
using Nodes = std::vector<TemplateNode>;
using List = TemplateValue::List;
using Map = TemplateValue::Map;
using Object = std::shared_ptr<const TemplateObject>;
using Items = std::vector<std::pair<TemplateValue, TemplateValue>>;

// What a list of nodes asks of the range around it.
enum class Jump : uint8_t { kNone, kBreak, kContinue };

class Evaluator {
 public:
  explicit Evaluator(const TemplateRun& run) : run_(run) {}

  Result<std::string> execute(const TemplateDefinition& root, const TemplateValue& data) {
    TRY(call(root, data));
    return std::move(out_);
  }

 private:
  struct Variable {
    const std::string* name;
    TemplateValue value;
  };
  // Lets go of the variables that a block set.
  class Scope {
   public:
    explicit Scope(std::vector<Variable>& variables)
        : variables_(variables), size_(variables.size()) {}
    ~Scope() { variables_.resize(size_, Variable{nullptr, {}}); }
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;

   private:
    std::vector<Variable>& variables_;
    size_t size_;
  };

  Unexpected error(uint32_t at, Error error) const;
  Unexpected error(uint32_t at, Code code, std::string message) const {
    return this->error(at, Error{code, std::move(message)});
  }
  Unexpected error(uint32_t at, std::string message) const {
    return error(at, Code::kInvalidArgument, std::move(message));
  }
  Status step(uint32_t at, size_t bytes = 0);

  const TemplateDefinition* find_definition(std::string_view name) const;
  Status call(const TemplateDefinition& called, const TemplateValue& data);
  Status call_node(const TemplateNode& node, const TemplateValue& dot);
  Result<Jump> walk(const Nodes& nodes, const TemplateValue& dot);
  Result<Jump> walk_node(const TemplateNode& node, const TemplateValue& dot);
  Result<Jump> walk_choice(const TemplateNode& node, const TemplateValue& dot);
  Result<Jump> walk_range(const TemplateNode& node, const TemplateValue& dot);
  Result<Items> items(const TemplateNode& node, const TemplateValue& value);
  Status write(uint32_t at, std::string_view text);
  Status write_value(uint32_t at, const TemplateValue& value);

  Result<TemplateValue> pipeline(const TemplatePipe& pipe, const TemplateValue& dot);
  Status set(const TemplatePipe& pipe, const TemplateValue& value);
  Result<TemplateValue> command(const TemplateCommand& command, const TemplateValue& dot,
                                const std::optional<TemplateValue>& last);
  Result<TemplateValue> word(const TemplateOperand& word, const TemplateValue& dot, Args args);
  Result<TemplateValue> function(const TemplateOperand& word, const Args& args);
  Result<TemplateValue> logic(const TemplateCommand& command, const TemplateValue& dot,
                              const std::optional<TemplateValue>& last);
  Result<TemplateValue> field(uint32_t at, const TemplateValue& of, const std::string& name,
                              const Args& args);
  const TemplateFunction* find_function(std::string_view name) const;
  const TemplateValue& variable(const std::string& name) const;

  const TemplateRun& run_;
  std::string out_;
  std::vector<Variable> variables_;
  const TemplateDefinition* current_ = nullptr;
  size_t steps_ = 0;
  size_t depth_ = 0;
};

// The innermost place is the one that says most; callers pass it on.
Unexpected Evaluator::error(uint32_t at, Error error) const {
  return fail(error.code, fmt::format("{}: in template {:?}: {}", current_->source->place(at),
                                      current_->name, error.message));
}

// Work on long texts counts for more steps, so that the bound holds for time also.
Status Evaluator::step(uint32_t at, size_t bytes) {
  constexpr size_t kBytesPerStep = 256;
  steps_ += 1 + bytes / kBytesPerStep;
  if (steps_ <= run_.limits.max_steps) return {};
  return error(at, Code::kResourceExhausted,
               fmt::format("the template takes more than {} steps", run_.limits.max_steps));
}

const TemplateFunction* Evaluator::find_function(std::string_view name) const {
  for (const TemplateFunctions* functions : {&run_.more, &run_.functions, &template_builtins()}) {
    if (const auto found = functions->find(name); found != functions->end()) return &found->second;
  }
  return nullptr;
}

const TemplateValue& Evaluator::variable(const std::string& name) const {
  const auto found = std::find_if(variables_.rbegin(), variables_.rend(),
                                  [&](const Variable& v) { return *v.name == name; });
  return found->value;  // the parser refuses names that are not set
}

const TemplateDefinition* Evaluator::find_definition(std::string_view name) const {
  const TemplateDefinition* out = nullptr;
  for (const TemplateDefinitions* definitions : {&run_.own, &run_.shared}) {
    const auto found = definitions->find(name);
    // A blank definition hides none, as where a text that only defines has the name of another.
    if (found != definitions->end() && (!out || out->blank())) out = found->second.get();
  }
  return out;
}

Status Evaluator::call(const TemplateDefinition& called, const TemplateValue& data) {
  static const std::string kRoot = "$";
  std::vector<Variable> variables = {{&kRoot, data}};
  variables.swap(variables_);
  const TemplateDefinition* const caller = std::exchange(current_, &called);
  ++depth_;
  const auto result = walk(called.body, data);
  --depth_;
  current_ = caller;
  variables.swap(variables_);
  if (!result) return fail(result.error());
  return {};
}

Status Evaluator::call_node(const TemplateNode& node, const TemplateValue& dot) {
  TemplateValue data;
  if (node.pipe) {
    TRY_ASSIGN(data, pipeline(*node.pipe, dot));
  }
  const TemplateDefinition* const called = find_definition(node.text);
  if (!called) return error(node.at, fmt::format("there is no template {:?}", node.text));
  if (depth_ >= run_.limits.max_depth)
    return error(node.at, Code::kResourceExhausted,
                 fmt::format("templates call each other more than {} deep", run_.limits.max_depth));
  return call(*called, data);
}

Result<Jump> Evaluator::walk(const Nodes& nodes, const TemplateValue& dot) {
  for (const TemplateNode& node : nodes) {
    TRY(step(node.at));
    TRY_ASSIGN(const Jump jump, walk_node(node, dot));
    if (jump != Jump::kNone) return jump;
  }
  return Jump::kNone;
}

Result<Jump> Evaluator::walk_node(const TemplateNode& node, const TemplateValue& dot) {
  using enum TemplateNode::Kind;
  switch (node.kind) {
    case kText:
      TRY(write(node.at, node.text));
      break;
    case kAction: {
      TRY_ASSIGN(const TemplateValue value, pipeline(*node.pipe, dot));
      if (node.pipe->variables.empty()) TRY(write_value(node.at, value));
      break;
    }
    case kCall:
      TRY(call_node(node, dot));
      break;
    case kIf:
    case kWith:
      return walk_choice(node, dot);
    case kRange:
      return walk_range(node, dot);
    case kBreak:
      return Jump::kBreak;
    case kContinue:
      return Jump::kContinue;
  }
  return Jump::kNone;
}

Result<Jump> Evaluator::walk_choice(const TemplateNode& node, const TemplateValue& dot) {
  const Scope scope(variables_);
  TRY_ASSIGN(const TemplateValue value, pipeline(*node.pipe, dot));
  if (!value.truth()) return walk(node.otherwise, dot);
  return walk(node.body, node.kind == TemplateNode::Kind::kWith ? value : dot);
}

Result<Items> Evaluator::items(const TemplateNode& node, const TemplateValue& value) {
  Items out;
  if (const auto* list = std::get_if<std::shared_ptr<const List>>(&value.data())) {
    for (const TemplateValue& item : **list)
      out.emplace_back(static_cast<int64_t>(out.size()), item);
  } else if (const auto* map = std::get_if<std::shared_ptr<const Map>>(&value.data())) {
    for (const auto& [key, item] : **map) out.emplace_back(key, item);
  } else if (const auto* object = std::get_if<Object>(&value.data())) {
    auto result = (*object)->items();
    if (!result) return error(node.at, std::move(result).error());
    out = *std::move(result);
  } else if (const auto* count = std::get_if<int64_t>(&value.data())) {
    TRY(step(node.at, *count > 0 ? std::min<uint64_t>(*count, run_.limits.max_steps) * 256 : 0));
    for (int64_t i = 0; i < *count; ++i) out.emplace_back(i, i);
  } else if (!std::holds_alternative<std::monostate>(value.data())) {
    return error(node.at, fmt::format("range cannot run over {}", template_type_name(value)));
  }
  return out;
}

Result<Jump> Evaluator::walk_range(const TemplateNode& node, const TemplateValue& dot) {
  const Scope scope(variables_);
  TRY_ASSIGN(const TemplateValue value, pipeline(*node.pipe, dot));
  TRY_ASSIGN(const Items all, items(node, value));
  const std::vector<std::string>& names = node.pipe->variables;
  const size_t first = variables_.size() - (node.pipe->declares ? names.size() : 0);
  for (const auto& [key, item] : all) {
    TRY(step(node.at));
    const TemplateValue* const values[] = {names.size() == 2 ? &key : &item, &item};
    for (size_t i = 0; i < names.size(); ++i) {
      // A range that assigns sets variables of outer blocks, which are found by name.
      const auto slot = node.pipe->declares
                            ? variables_.begin() + static_cast<std::ptrdiff_t>(first + i)
                            : std::find_if(
                                  variables_.rbegin(), variables_.rend(),
                                  [&](const Variable& v) {
                                    return *v.name == names[i];
                                  }).base() -
                                  1;
      slot->value = *values[i];
    }
    const Scope iteration(variables_);
    TRY_ASSIGN(const Jump jump, walk(node.body, item));
    if (jump == Jump::kBreak) break;
  }
  return all.empty() ? walk(node.otherwise, dot) : Jump::kNone;
}

Status Evaluator::write(uint32_t at, std::string_view text) {
  if (text.size() > run_.limits.max_output_bytes - out_.size())
    return error(
        at, Code::kResourceExhausted,
        fmt::format("the template writes more than {} bytes", run_.limits.max_output_bytes));
  out_ += text;
  return step(at, text.size());
}

Status Evaluator::write_value(uint32_t at, const TemplateValue& value) {
  const std::string text = value.text();
  if (run_.escape == TemplateEscape::kNone) return write(at, text);
  const auto* object = std::get_if<Object>(&value.data());
  if (object && dynamic_cast<const SafeText*>(object->get())) return write(at, text);
  return write(at, template_html_escape(text));
}

Status Evaluator::set(const TemplatePipe& pipe, const TemplateValue& value) {
  for (const std::string& name : pipe.variables) {
    if (pipe.declares) {
      variables_.push_back({&name, value});
      continue;
    }
    const auto found = std::find_if(variables_.rbegin(), variables_.rend(),
                                    [&](const Variable& v) { return *v.name == name; });
    found->value = value;
  }
  return {};
}

Result<TemplateValue> Evaluator::pipeline(const TemplatePipe& pipe, const TemplateValue& dot) {
  std::optional<TemplateValue> value;
  for (const TemplateCommand& next : pipe.commands) {
    TRY(step(next.at));
    TRY_ASSIGN(value, command(next, dot, value));
  }
  TRY(set(pipe, *value));
  return *std::move(value);
}

Result<TemplateValue> Evaluator::command(const TemplateCommand& command, const TemplateValue& dot,
                                         const std::optional<TemplateValue>& last) {
  using enum TemplateOperand::Kind;
  const TemplateOperand& first = command.words.front();
  const bool is_logic = first.kind == kFunction && (first.name == "and" || first.name == "or");
  if (is_logic && first.fields.empty() && !run_.more.contains(first.name))
    return logic(command, dot, last);
  if (first.kind == kNil) return error(first.at, "nil is no command");
  Args args;
  for (size_t i = 1; i < command.words.size(); ++i) {
    const TemplateOperand& operand = command.words[i];
    if (operand.kind == kNil) {
      args.emplace_back();
      continue;
    }
    TRY_ASSIGN(TemplateValue value, word(operand, dot, {}));
    args.push_back(std::move(value));
  }
  if (last) args.push_back(*last);
  return word(first, dot, std::move(args));
}

// `and` and `or` look at no argument after the one that decides.
Result<TemplateValue> Evaluator::logic(const TemplateCommand& command, const TemplateValue& dot,
                                       const std::optional<TemplateValue>& last) {
  const bool is_or = command.words.front().name == "or";
  if (command.words.size() == 1 && !last)
    return error(command.at, fmt::format("{}: wants an argument", command.words.front().name));
  TemplateValue value;
  for (size_t i = 1; i < command.words.size(); ++i) {
    const TemplateOperand& operand = command.words[i];
    if (operand.kind == TemplateOperand::Kind::kNil) {
      value = TemplateValue();
    } else {
      TRY_ASSIGN(value, word(operand, dot, {}));
    }
    if (value.truth() == is_or) return value;
  }
  return last ? *last : value;
}

// The arguments go to the function, or to the last field, which is then a method.
Result<TemplateValue> Evaluator::word(const TemplateOperand& word, const TemplateValue& dot,
                                      Args args) {
  using enum TemplateOperand::Kind;
  TemplateValue value;
  const bool takes_args = word.kind == kFunction && word.fields.empty();
  switch (word.kind) {
    case kDot:
      value = dot;
      break;
    case kVariable:
      value = variable(word.name);
      break;
    case kLiteral:
      value = word.literal;
      break;
    case kNil:
      break;
    case kFunction: {
      TRY_ASSIGN(value, function(word, takes_args ? args : Args()));
      break;
    }
    case kPipe: {
      const Scope scope(variables_);
      TRY_ASSIGN(value, pipeline(*word.pipe, dot));
      break;
    }
  }
  if (word.fields.empty() && !takes_args && !args.empty())
    return error(word.at, fmt::format("arguments are given to {}, which is no function",
                                      word.kind == kVariable ? word.name : "a value"));
  for (size_t i = 0; i < word.fields.size(); ++i) {
    const bool is_last = i + 1 == word.fields.size();
    TRY_ASSIGN(value, field(word.at, value, word.fields[i], is_last ? args : Args()));
  }
  return value;
}

// What an argument or a result weighs in steps.
size_t weight(const TemplateValue& value) {
  if (const auto* text = std::get_if<std::string>(&value.data())) return text->size();
  if (const auto* list = std::get_if<std::shared_ptr<const List>>(&value.data()))
    return (*list)->size() * sizeof(TemplateValue);
  if (const auto* map = std::get_if<std::shared_ptr<const Map>>(&value.data()))
    return (*map)->size() * sizeof(TemplateValue);
  return 0;
}

Result<TemplateValue> Evaluator::function(const TemplateOperand& word, const Args& args) {
  size_t bytes = 0;
  for (const TemplateValue& arg : args) bytes += weight(arg);
  TRY(step(word.at, bytes));
  const TemplateFunction* const called = find_function(word.name);
  if (!called) return error(word.at, fmt::format("there is no function {:?}", word.name));
  auto result = (*called)(args);
  if (!result) return error(word.at, std::move(result).error());
  const size_t size = weight(*result);
  if (size > kMaxTemplateTextBytes)
    return error(
        word.at, Code::kResourceExhausted,
        fmt::format("{} makes a value of more than {} bytes", word.name, kMaxTemplateTextBytes));
  TRY(step(word.at, size));
  return result;
}

Result<TemplateValue> Evaluator::field(uint32_t at, const TemplateValue& of,
                                       const std::string& name, const Args& args) {
  TRY(step(at));
  Result<TemplateValue> result = TemplateValue();
  if (const auto* object = std::get_if<Object>(&of.data())) {
    result = (*object)->get(name, args);
  } else if (const auto* time = std::get_if<TemplateTime>(&of.data())) {
    result = template_time_method(*time, name, args);
  } else if (const auto* map = std::get_if<std::shared_ptr<const Map>>(&of.data())) {
    if (!args.empty()) return error(at, fmt::format("{} is no method, it takes no argument", name));
    const auto found = (*map)->find(name);
    return found == (*map)->end() ? TemplateValue() : found->second;
  } else {
    return error(at, fmt::format("{} has no field {}", template_type_name(of), name));
  }
  if (!result) return error(at, std::move(result).error());
  return result;
}

}  // namespace

Result<std::string> run_template(const TemplateRun& run, const TemplateDefinition& root,
                                 const TemplateValue& data) {
  return Evaluator(run).execute(root, data);
}

}  // namespace binnacle
