// The functions of Alertmanager's templates, and the set of templates that notifications are made
// from: the defaults and the files of the configuration. Any thread.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "base/file_system.h"
#include "base/template.h"

namespace binnacle::watch::alerts {

// The clock outlives the functions.
TemplateFunctions notification_functions(const Clock& clock);

// A definition of a file replaces a default of the same name; of two files the later wins. The
// error names the file and the place.
Result<std::shared_ptr<const TemplateSet>> notification_templates(
    const std::vector<std::string>& files, FileSystem& file_system, const Clock& clock);

}  // namespace binnacle::watch::alerts
