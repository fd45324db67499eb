// The folder that holds everything of one server. The state store's lock keeps a second process out
// of it.
#pragma once

#include <string>

#include "base/error.h"
#include "base/file_system.h"

namespace binnacle {

// What stands for an empty setting: /var/lib/binnacle for root, else $XDG_STATE_HOME/binnacle, else
// ~/.local/state/binnacle.
std::string default_data_folder();

// Makes the folder where it is missing and tries a write in it. Errors name the folder and the way
// out.
Status prepare_data_folder(FileSystem& files, const std::string& path);

}  // namespace binnacle
