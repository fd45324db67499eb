// Serves the embedded page: its addresses, its assets, the sign-in form. Everything is answered
// from memory on the I/O thread. The page's addresses ask for a viewer; the sign-in form and the
// assets, which hold no data, ask for nobody. Names of assets carry a hash of their content, so
// browsers may keep them for good.
#pragma once

#include "base/error.h"
#include "net/router.h"

namespace binnacle::show {

Status register_page_routes(net::Router& router);

}  // namespace binnacle::show
