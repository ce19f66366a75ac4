/** A second class, for a second JVM. */
public class TwoTest extends OneTest {}
