// A tokenizer.json of any bytes: refused with an error that names it, or taken, and then any text
// encodes to tokens that it has.
#include <array>
#include <cstddef>
#include <cstdint>

#include "base/check.h"
#include "engine/model/tokenizer_json.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace binnacle::engine;  // NOLINT(google-build-using-namespace): a program of one file
  constexpr int32_t kVocabulary = 1024;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto tokenizer = parse_tokenizer_json(text, "f", kVocabulary);
  if (!tokenizer) {
    CHECK(tokenizer.error().message.starts_with("f: "));
    return 0;
  }
  constexpr std::array<std::string_view, 4> kTexts = {"", "hello  world 123 \n\n it's",
                                                      "\xC3\xA9\xFF\xE2\x96\x81 ", "<s></s><0x0A>"};
  for (const std::string_view sample : kTexts) {
    TextAssembler assembler(**tokenizer);
    for (const int32_t token : (*tokenizer)->encode(sample)) {
      CHECK(token >= 0 && token < kVocabulary);
      (void)assembler.add(token);
    }
    (void)assembler.finish();
  }
  return 0;
}
