// The tables of this room. Range 100 to 199 of migration numbers; described in
// docs/formats/state.md.
#pragma once

#include "store/state/migrations.h"

#include <span>

namespace binnacle::store::access {

std::span<const state::Migration> access_migrations();

}  // namespace binnacle::store::access
