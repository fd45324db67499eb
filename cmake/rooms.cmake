# A room is one folder of src/: one static library `binnacle_<room>` from its sources, and, when tests
# are on, one test program `<room>_test` from its *_test.cc files. tools/layers.txt says which room may
# include which; a test holds includes to it.

add_library(binnacle_flags INTERFACE)
target_compile_features(binnacle_flags INTERFACE cxx_std_20)
target_compile_options(binnacle_flags INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor -Wthread-safety -Werror=thread-safety
  -Wno-gnu-zero-variadic-macro-arguments -fno-omit-frame-pointer)
if(BINNACLE_WERROR)
  target_compile_options(binnacle_flags INTERFACE -Werror)
endif()
target_compile_definitions(binnacle_flags INTERFACE
  BOOST_ASIO_NO_DEPRECATED BOOST_ASIO_SEPARATE_COMPILATION BOOST_BEAST_SEPARATE_COMPILATION
  BOOST_ASIO_DISABLE_BOOST_COROUTINE)
target_include_directories(binnacle_flags INTERFACE
  ${PROJECT_SOURCE_DIR}/src ${PROJECT_BINARY_DIR}/generated)
if(BINNACLE_SANITIZE)
  target_compile_options(binnacle_flags INTERFACE
    -fsanitize=${BINNACLE_SANITIZE} -fno-sanitize-recover=all)
  target_link_options(binnacle_flags INTERFACE -fsanitize=${BINNACLE_SANITIZE})
endif()
if(BINNACLE_FUZZ)
  target_compile_options(binnacle_flags INTERFACE -fsanitize=fuzzer-no-link)
endif()

# What most sources read, parsed once: a third of the compiler's time. Sources still include what they use, which the
# builds without it (all that have tests) hold them to. A source with compiler flags of its own skips it.
if(BINNACLE_PRECOMPILE)
  add_library(binnacle_precompiled OBJECT ${PROJECT_SOURCE_DIR}/cmake/precompiled.cc)
  target_link_libraries(binnacle_precompiled PRIVATE
    binnacle_flags tl::expected fmt::fmt spdlog::spdlog nlohmann_json::nlohmann_json PkgConfig::re2) # re2 for -pthread
  target_precompile_headers(binnacle_precompiled PRIVATE ${PROJECT_SOURCE_DIR}/cmake/precompiled.h)
  # Without the time of its making the compiler cache knows it again.
  target_compile_options(binnacle_precompiled PRIVATE -Xclang -fno-pch-timestamp)
endif()
function(binnacle_reuse_precompiled target)
  if(BINNACLE_PRECOMPILE)
    target_precompile_headers(${target} REUSE_FROM binnacle_precompiled)
  endif()
endfunction()

if(BINNACLE_TESTS)
  include(GoogleTest)
endif()

# binnacle_room(<name> [LINKS targets...] [TEST_LINKS targets...] [FOLDERS subfolders...] [TEST_FOLDERS subfolders...])
# Every target listed in LINKS is public: headers of a room may name what the room stands on. FOLDERS are parts
# of the same room that stand apart, as what knows one operating system does; all of TEST_FOLDERS goes into the
# test program alone.
# A file <what>_fuzz.cc is a libFuzzer program of its own; its corpus lies in tests/corpus/<what>/.
function(binnacle_room name)
  cmake_parse_arguments(ROOM "" "" "LINKS;TEST_LINKS;FOLDERS;TEST_FOLDERS" ${ARGN})
  set(sources)
  foreach(folder IN ITEMS . LISTS ROOM_FOLDERS)
    file(GLOB in_folder CONFIGURE_DEPENDS ${folder}/*.cc)
    list(APPEND sources ${in_folder})
  endforeach()
  set(tests ${sources})
  list(FILTER tests INCLUDE REGEX "_test\\.cc$")
  foreach(folder IN LISTS ROOM_TEST_FOLDERS)
    file(GLOB in_folder CONFIGURE_DEPENDS ${folder}/*.cc)
    list(APPEND tests ${in_folder})
  endforeach()
  set(fuzzers ${sources})
  list(FILTER fuzzers INCLUDE REGEX "_fuzz\\.cc$")
  list(REMOVE_ITEM sources ${tests} ${fuzzers})
  if(sources)
    add_library(binnacle_${name} STATIC ${sources})
    target_link_libraries(binnacle_${name} PUBLIC binnacle_flags ${ROOM_LINKS})
    binnacle_reuse_precompiled(binnacle_${name})
  else()
    add_library(binnacle_${name} INTERFACE)
    target_link_libraries(binnacle_${name} INTERFACE binnacle_flags ${ROOM_LINKS})
  endif()
  if(BINNACLE_TESTS AND tests)
    add_executable(${name}_test ${tests})
    target_link_libraries(${name}_test PRIVATE binnacle_${name} ${ROOM_TEST_LINKS} GTest::gmock GTest::gtest_main)
    target_compile_definitions(${name}_test PRIVATE
      BINNACLE_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
    gtest_discover_tests(${name}_test TEST_PREFIX ${name}. DISCOVERY_MODE PRE_TEST
      PROPERTIES TIMEOUT 120 LABELS unit)
  endif()
  foreach(fuzzer IN LISTS fuzzers)
    get_filename_component(what ${fuzzer} NAME_WE)
    if(BINNACLE_FUZZ)
      add_executable(${what} ${fuzzer})
      target_link_libraries(${what} PRIVATE binnacle_${name} ${ROOM_TEST_LINKS})
      target_link_options(${what} PRIVATE -fsanitize=fuzzer)
    elseif(BINNACLE_TESTS)
      # Without libFuzzer the same target replays its corpus in the normal run.
      string(REGEX REPLACE "_fuzz$" "" corpus ${what})
      add_executable(${what}_replay ${fuzzer} ${PROJECT_SOURCE_DIR}/tests/fuzz_replay.cc)
      target_link_libraries(${what}_replay PRIVATE binnacle_${name} ${ROOM_TEST_LINKS})
      add_test(NAME ${name}.fuzz_corpus.${corpus}
        COMMAND ${what}_replay ${PROJECT_SOURCE_DIR}/tests/corpus/${corpus})
      set_tests_properties(${name}.fuzz_corpus.${corpus} PROPERTIES TIMEOUT 120 LABELS fuzz)
    endif()
  endforeach()
endfunction()
