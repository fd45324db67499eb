#include "collect/scrape/series_slots.h"

#include <string>

#include <gtest/gtest.h>

namespace binnacle::collect::scrape {
namespace {

std::string series(int i) { return "up{i=\"" + std::to_string(i) + "\"}"; }

TEST(SeriesSlots, FindsWhatWasAdded) {
  SeriesSlots slots;
  for (int i = 0; i < 1000; ++i) {
    EXPECT_EQ(slots.find(series(i)), SeriesSlots::kNone);
    EXPECT_EQ(slots.add(series(i)), static_cast<uint32_t>(i));
  }
  for (int i = 999; i >= 0; --i) EXPECT_EQ(slots.find(series(i)), static_cast<uint32_t>(i));
  EXPECT_EQ(slots.size(), 1000u);
}

TEST(SeriesSlots, GuessesTheOrderOfTheLastPage) {
  SeriesSlots slots;
  for (int i = 0; i < 5; ++i) slots.add(series(i));
  slots.rewind();
  for (uint32_t i = 0; i < 5; ++i) EXPECT_EQ(slots.guess(series(static_cast<int>(i)) + " 1\n"), i);
  EXPECT_EQ(slots.guess(series(0) + " 1\n"), SeriesSlots::kNone);

  // The order changes once and is known then.
  slots.rewind();
  for (const int i : {0, 3, 1, 2, 4}) {
    if (slots.guess(series(i) + " 1\n") == SeriesSlots::kNone) slots.find(series(i));
  }
  slots.rewind();
  for (const int i : {0, 3, 1, 2, 4})
    EXPECT_EQ(slots.guess(series(i) + " 1\n"), static_cast<uint32_t>(i));
}

TEST(SeriesSlots, ALongerNameIsAnother) {
  SeriesSlots slots;
  slots.add("up");
  for (const std::string_view line : {"upper 1\n", "up{a=\"b\"} 1\n", "up {a=\"b\"} 1\n",
                                      "up  {a=\"b\"} 1\n", "up", "up ", "# up 1\n"}) {
    slots.rewind();
    EXPECT_EQ(slots.guess(line), SeriesSlots::kNone) << line;
  }
  slots.rewind();
  EXPECT_EQ(slots.guess("up 1\n"), 0u);
}

TEST(SeriesSlots, DropsWhatIsGone) {
  SeriesSlots slots;
  for (int i = 0; i < 100; ++i) {
    SeriesSlot& slot = slots[slots.add(series(i))];
    slot.good_seen = i % 2 == 0 ? 7 : 6;
    slot.live = i == 1;
  }
  slots.keep_only(7);
  EXPECT_EQ(slots.size(), 51u);
  EXPECT_EQ(slots.guess(series(0) + " 1\n"), 0u);
  EXPECT_EQ(slots.guess(series(1) + " 1\n"), 1u);
  EXPECT_EQ(slots.guess(series(2) + " 1\n"), 2u);
  EXPECT_EQ(slots.find(series(3)), SeriesSlots::kNone);
  EXPECT_EQ(slots.find(series(98)), 50u);
}

}  // namespace
}  // namespace binnacle::collect::scrape
