// The migrations of all rooms: what everyone who opens the state file hands to it. Pure.
#pragma once

#include "store/state/migrations.h"

#include <string>
#include <vector>

namespace binnacle::app {

std::vector<store::state::Migration> all_migrations();

// "<data folder>/state.db"
std::string state_path(const std::string& data_folder);

}  // namespace binnacle::app
