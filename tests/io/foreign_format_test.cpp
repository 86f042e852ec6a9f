// Foreign formats: first bytes as their descriptions give them, and texts that only look like them.
#include "calor/io/foreign_format.h"

#include <cstdlib>
#include <set>

#include "mutation.h"

namespace calor::io {
namespace {

using namespace std::string_literals;

const std::vector<std::pair<std::string, std::string>> samples{
    {"GML", "graph [\n  directed 1\n  node [\n    id 0\n  ]\n]\n"},
    {"GML", "Creator \"Mark Newman on Sat Jul 22 05:32:16 2006\"\nVersion 1\ngraph\n[\n  directed 0\n"},
    {"GML", "# made by hand\nGraph [ node [ id 1 ] ]"},
    {"Pajek", "*Vertices 5\n1 \"ant\"\n*Arcs\n1 2 1\n"},
    {"Pajek", "% comment\r\n*Network web\r\n*vertices 2\r\n"},
    {"DIMACS", "p sp 3 3\na 1 2 4\n"},
    {"DIMACS", "c a graph\nc\n\np edge 5 6\ne 1 2\n"},
    {"ARFF", "% title\n\n@RELATION iris\n@ATTRIBUTE a REAL\n@DATA\n"},
    {"web page", "<!DOCTYPE html>\n<html>"},
    {"GEXF", "<?xml version=\"1.0\"?>\n<gexf xmlns=\"x\">"},
    {"XML", "<?xml version=\"1.0\"?>\n<table>"},
    {"JSON", "[\n {\"a\": 1}]"},
    {"JSON", "{\"nodes\": []}"},
    {"Excel workbook", "PK\x03\x04" + std::string(26, '\0') + "[Content_Types].xml" + std::string(40, 'z') + "xl/styles.xml"},
    {"Excel workbook", "\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1" + std::string(100, '\0')},
    {"OpenDocument spreadsheet", "PK\x03\x04" + std::string(26, '\0') + "mimetypeapplication/vnd.oasis.opendocument.spreadsheet"},
    {"RDS", "X\n\0\0\0\x03\0\x04\x02"s},
    {"RData", "RDX3\nX\n"},
    {"parquet", "PAR1\x15\x04"},
    {"feather", "ARROW1\0\0"s},
    {"feather", "FEA1\0\0\0\0"s},
    {"Stata", "<stata_dta><header>"},
    {"Stata", "\x73\x02\x01\0\x05"s},
    {"SPSS", "$FL2@(#) SPSS DATA FILE"},
    {"SAS", std::string(12, '\0') + "\xC2\xEA\x81\x60\xB3\x14\x11\xCF\xBD\x92\x08\0\x09\xC7\x31\x8C\x18\x1F\x10\x11"s},
    {"SAS", "HEADER RECORD*******LIBRARY HEADER RECORD!!!!!!!000"},
    {"MATLAB", "MATLAB 5.0 MAT-file, Platform: GLNXA64"},
    {"MATLAB 7.3", "MATLAB 7.3 MAT-file, Platform: GLNXA64"},
    {"SQLite", "SQLite format 3\0"s},
    {"NetCDF", "CDF\x01"},
    {"FITS", "SIMPLE  =                    T"},
    {"bzip2", "BZh91AY&SY"},
    {"xz", "\xFD" "7zXZ\0"s},
    {"zstd", "\x28\xB5\x2F\xFD"},
    {"tar", std::string(257, 'a') + "ustar\0" "00"s},
    {"tar", std::string(257, 'a') + "ustar  \0"s},
    {"Python pickle", "\x80\x04\x95\x10\0\0\0"s},
    {"Python pickle", "\x80\x02}q\0."s},
    {"PDF", "%PDF-1.7"},
    {"picture", "\x89PNG\r\n\x1a\n"},
};

TEST(ForeignFormat, IsKnownByContent) {
  for (const auto& [format, bytes] : samples) EXPECT_EQ(foreign_format(bytes), format) << bytes.substr(0, 30);
}

TEST(ForeignFormat, EachHasARemedy) {
  const std::string none = foreign_remedy("something else");
  EXPECT_EQ(none, "save it as csv or npy");
  for (const auto& [format, bytes] : samples) EXPECT_NE(foreign_remedy(format), none) << format;
  EXPECT_NE(foreign_remedy("GML").find("write_graphml"), std::string::npos);
  EXPECT_NE(foreign_remedy("RDS").find("readRDS"), std::string::npos);
}

TEST(ForeignFormat, OwnFormatsAndTextsAreNot) {
  for (const std::string& bytes :
       {""s, "a,b,c\n1,2,3\n"s, "graph,weight\n[1],2\n"s, "graph edge\n1 2\n"s, "p,q\n1,2\n"s, "p 1 2\n"s, "p sp 3\n"s, "c 1 2\nc 2 3\n"s, "PAR1,PAR2\n1,2\n"s,
        "A\n2\n3\n"s, "$FL2,b\n"s, "BZh1,b\n"s, "%%MatrixMarket matrix\n"s, "<graphml>"s, "<?xml version=\"1.0\"?><graphml>"s, "[1, 2]\n"s, "{a}\n"s, "*a,b\n"s, "@a,b\n"s, "\x93NUMPY"s,
        "\x89HDF\r\n\x1a\n"s, "PK\x03\x04"s + std::string(26, '\0') + "X.npy", "\x80uro,b\n"s, "X\n1\n2\n"s, "CDF,b\n"s, "MATLAB,b\n"s, "+1 1:0.5\n"s,
        "one two\nthree four\nfive six\n"s, "#from to\n1 2\n"s})
    EXPECT_EQ(foreign_format(bytes), "") << bytes;
}

TEST(ForeignFormat, AnyBytesHaveAnAnswer) {
  std::set<std::string> found;
  for (const auto& [format, bytes] : samples)
    for (std::uint64_t i = 0; i < 300; ++i) {
      Random random(1, Purpose::test, i);
      found.insert(foreign_format(mutated(bytes, random)));
    }
  EXPECT_TRUE(found.contains("") && found.contains("GML"));
  for (const auto& [format, bytes] : samples)
    for (std::size_t size = 0; size < bytes.size(); ++size) foreign_format(std::string_view(bytes).substr(0, size));
}

TEST(ForeignFormat, PublicGraphs) {
  const char* data = std::getenv("CALOR_DATA");
  const std::string folder = std::string(data ? data : "") + "/graphs/";
  if (!data || !std::filesystem::exists(folder + "dolphins.gml")) GTEST_SKIP() << "SKIPPED: CALOR_DATA names no folder with graphs/";
  for (const char* name : {"dolphins", "football", "polblogs", "polbooks", "eu-core"}) EXPECT_EQ(foreign_format(content_of(folder + name + ".gml")), "GML") << name;
}

}  // namespace
}  // namespace calor::io
