#include "base/identity.h"

#include <gtest/gtest.h>

#include <map>
#include <set>

namespace binnacle {
namespace {

constexpr Role kAll[] = {Role::kPublic, Role::kViewer, Role::kOperator, Role::kAdmin,
                         Role::kIngest, Role::kAgent,  Role::kInference};

TEST(Role, NamesReadBack) {
  for (const Role role : kAll) EXPECT_EQ(role_from_name(role_name(role)), role);
  EXPECT_EQ(role_name(Role::kInference), "inference");
  EXPECT_EQ(role_from_name("Admin"), std::nullopt);
  EXPECT_EQ(role_from_name(""), std::nullopt);
}

// Written out whole: who may what is worth seeing at a glance, and nothing may be added by
// accident.
TEST(Role, AllowsExactlyWhatIsWrittenHere) {
  const std::map<Role, std::set<Role>> allowed = {
      {Role::kPublic, {Role::kPublic}},
      {Role::kViewer, {Role::kPublic, Role::kViewer}},
      {Role::kOperator, {Role::kPublic, Role::kViewer, Role::kOperator, Role::kInference}},
      {Role::kAdmin, {std::begin(kAll), std::end(kAll)}},
      {Role::kIngest, {Role::kPublic, Role::kIngest}},
      {Role::kAgent, {Role::kPublic, Role::kIngest, Role::kAgent}},
      {Role::kInference, {Role::kPublic, Role::kInference}},
  };
  for (const Role held : kAll) {
    for (const Role asked : kAll) {
      EXPECT_EQ(role_allows(held, asked), allowed.at(held).contains(asked))
          << role_name(held) << " asks for " << role_name(asked);
    }
  }
}

}  // namespace
}  // namespace binnacle
