// Data sets that the program does not hold, by a word: their files lie in the folder that the environment variable CALOR_DATA names.
#pragma once

#include <string>

namespace calor::app {

// What names the nodes of a graph: for "cora", "citeseer" and "pubmed" the Planetoid files of that name, in CALOR_DATA/NAME/planetoid, CALOR_DATA/NAME or CALOR_DATA; any other
// text, and the name of a file or folder that is here, stays as it is.  Throws Fault::input where those files are not there: how to get them.
std::string node_source(const std::string& source);

// Multi30k's captions of pictures, in en, de and fr: CALOR_DATA/multi30k/raw or CALOR_DATA/multi30k has train.LANGUAGE and val.LANGUAGE, perhaps with .gz.
struct CaptionFiles {
  std::string source, target, validation_source, validation_target;
};

// languages: "en-de", from the first to the second.  Throws Fault::usage for others, Fault::input where the files are not there.
CaptionFiles multi30k_files(const std::string& languages);

}  // namespace calor::app
