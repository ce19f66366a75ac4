/** Says the heap of the JVM that Surefire has forked for it, then is a step (tests/common/steps.rs). */
public class OneTest {
    public void testStep() throws Exception {
        System.out.print("heap=" + (Runtime.getRuntime().maxMemory() >> 20));
        System.out.println(" wanted=" + System.getenv("PLIMSOLL_WORKER_HEAP_MIB"));
        if (!new java.io.File("step").exists()) return;
        Process step = new ProcessBuilder("./step").redirectErrorStream(true).start();
        System.out.print(new String(step.getInputStream().readAllBytes()));
        if (step.waitFor() != 0) throw new AssertionError("the step failed");
    }
}
