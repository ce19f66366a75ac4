# Generates the test classes and fills a local repository, so that the measured runs are offline.
set -e
mkdir -p src/test/java
cp "$CASE/pom.xml" .
for i in $(seq -w 1 16); do sed "s/@N@/$i/" "$CASE/Test.java.template" > "src/test/java/Fork${i}Test.java"; done
[ -e repo/.complete ] && exit 0
mvn -q -B -Dmaven.repo.local=repo -Dtest=Fork01Test test
touch repo/.complete
