#include "base/xml_text.h"

#include <gtest/gtest.h>

namespace binnacle {
namespace {

TEST(XmlText, WritesWhatXmlCanHold) {
  EXPECT_EQ(xml_escape("a<b> & \"c\"\n\té"), "a&lt;b&gt; &amp; &quot;c&quot;&#10;&#9;é");
  EXPECT_EQ(xml_escape(std::string_view("\x01\0\r", 3)), "???");
}

}  // namespace
}  // namespace binnacle
