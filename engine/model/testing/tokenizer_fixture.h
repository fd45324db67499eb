// tokenizer.json files as Llama 3 and Llama 2 have them, with a vocabulary of a few words.
#pragma once

#include <nlohmann/json_fwd.hpp>

namespace binnacle::engine {

// Bytes are 0 to 255 as far as they print, 257 "ll", 258 "he", 259 "hell", 260 "hello"; a space is
// 261. Special: 300 <|begin_of_text|>, 301 <|eot_id|>, 302 and 303 the header's.
nlohmann::json llama3_like();

// 0 <unk>, 1 <s>, 2 </s>, 3 to 258 the bytes, 259 mark, 260 h, 261 i, 262 mark+h, 263 mark+hi, 264
// [, 265 ].
nlohmann::json llama2_like();

}  // namespace binnacle::engine
