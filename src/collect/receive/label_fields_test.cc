#include "collect/receive/label_fields.h"

#include <gtest/gtest.h>

#include "collect/receive/test_bodies.h"

namespace binnacle::collect::receive {
namespace {

std::string label_bytes(const TestLabels& labels) {
  std::string bytes;
  protozero::pbf_writer writer(bytes);
  for (const auto& [name, value] : labels) WriteBody::add_label(writer, name, value);
  return bytes;
}

class LabelFieldsTest : public ::testing::Test {
 protected:
  LabelVerdict read(const TestLabels& labels) { return fields_.read(label_bytes(labels), limits_); }

  LabelFields fields_;
  LabelLimits limits_{.max_count = 3, .max_name_bytes = 12, .max_value_bytes = 8};
};

TEST_F(LabelFieldsTest, PacksSortedLabels) {
  ASSERT_EQ(read({{"__name__", "up"}, {"job", "a"}}), LabelVerdict::kGood);
  EXPECT_EQ(fields_.labels(), (model::Labels{{"__name__", "up"}, {"job", "a"}}.view()));
}

TEST_F(LabelFieldsTest, SortsAndLeavesEmptyValuesOut) {
  ASSERT_EQ(read({{"job", "a"}, {"empty", ""}, {"__name__", "up"}}), LabelVerdict::kGood);
  EXPECT_EQ(fields_.labels(), (model::Labels{{"__name__", "up"}, {"job", "a"}}.view()));
}

TEST_F(LabelFieldsTest, RefusesWithAReason) {
  EXPECT_EQ(read({}), LabelVerdict::kNoMetricName);
  EXPECT_EQ(read({{"job", "a"}}), LabelVerdict::kNoMetricName);
  EXPECT_EQ(read({{"__name__", ""}, {"job", "a"}}), LabelVerdict::kNoMetricName);
  EXPECT_EQ(read({{"__name__", "up"}, {"", "a"}}), LabelVerdict::kEmptyName);
  EXPECT_EQ(read({{"__name__", "up"}, {"a", "1"}, {"a", "1"}}), LabelVerdict::kDuplicate);
  EXPECT_EQ(read({{"a", "1"}, {"__name__", "up"}, {"a", ""}}), LabelVerdict::kDuplicate);
  EXPECT_EQ(read({{"__name__", "u\xff"}}), LabelVerdict::kInvalidUtf8);
  EXPECT_EQ(read({{"__name__", "up"}, {"\xc3", "1"}}), LabelVerdict::kInvalidUtf8);
  EXPECT_EQ(read({{"__name__", "up"}, {"a", "1"}, {"b", "1"}, {"c", "1"}}), LabelVerdict::kTooMany);
  EXPECT_EQ(read({{"__name__", "up"}, {"a234567890123", "1"}}), LabelVerdict::kNameTooLong);
  EXPECT_EQ(read({{"__name__", "up123456789"}}), LabelVerdict::kValueTooLong);
}

TEST_F(LabelFieldsTest, TakesNamesInUtf8) {
  EXPECT_EQ(read({{"__name__", "gr\xc3\xb6\xc3\x9f"}, {"a.b", "c"}}), LabelVerdict::kGood);
}

TEST_F(LabelFieldsTest, FindsMalformedBytes) {
  const std::string good = label_bytes({{"__name__", "up"}});
  for (size_t cut = 1; cut < good.size(); ++cut)
    EXPECT_EQ(fields_.read(good.substr(0, cut), limits_), LabelVerdict::kMalformed) << cut;
  std::string number;  // a label whose name is a varint
  protozero::pbf_writer(number).add_message(1, std::string("\x08\x01", 2));
  EXPECT_EQ(fields_.read(number, limits_), LabelVerdict::kMalformed);
}

TEST_F(LabelFieldsTest, DescribesWhatItRefused) {
  const std::string bytes = label_bytes({{"a", "\xff"}, {"b", std::string(100, 'x')}});
  ASSERT_EQ(fields_.read(bytes, limits_), LabelVerdict::kInvalidUtf8);
  EXPECT_EQ(fields_.describe(), "{a=\"\xEF\xBF\xBD\", b=\"" + std::string(64, 'x') + "...\"}");
}

}  // namespace
}  // namespace binnacle::collect::receive
