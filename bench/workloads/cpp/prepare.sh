# Fetches the Debian source of nlohmann-json3 through apt, with source lists of its own: the system's stay as they are.
set -e
cp "$CASE/Makefile" .
# The project's CMake generates this one.
echo '#define TEST_DATA_DIRECTORY "."' > test_data.hpp
version=3.11.2
[ -e source/.complete ] && exit 0
mkdir -p apt/sources apt/lists/partial source
for list in /etc/apt/sources.list.d/debian.sources /etc/apt/sources.list; do
  [ -e "$list" ] && sed -E 's/^Types:.*/Types: deb-src/; s/^deb /deb-src /' "$list" > "apt/sources/$(basename "$list")"
done
[ -e apt/sources/sources.list ] && mv apt/sources/sources.list apt/sources/system.list
options="-o Dir::Etc::sourcelist=/dev/null -o Dir::Etc::sourceparts=$PWD/apt/sources -o Dir::State::lists=$PWD/apt/lists"
apt-get -qq $options update
(cd apt && apt-get -qq $options source --download-only "nlohmann-json3=$version-2")
tar xzf "apt/nlohmann-json3_$version.orig.tar.gz" -C source --strip-components=1
touch source/.complete
