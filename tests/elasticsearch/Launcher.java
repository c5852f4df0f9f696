import java.lang.reflect.Constructor;
import java.nio.file.Path;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import org.elasticsearch.common.logging.LogConfigurator;
import org.elasticsearch.common.settings.Settings;
import org.elasticsearch.env.Environment;
import org.elasticsearch.node.InternalSettingsPreparer;
import org.elasticsearch.node.Node;

/** Runs one Elasticsearch node of version 8 or 9 from the jars under es.path.home; arguments are settings, name=value. */
public class Launcher {
    public static void main(String[] arguments) throws Exception {
        Path home = Path.of(System.getProperty("es.path.home"));
        Settings.Builder settings = Settings.builder().put("path.home", home.toString());
        for (String argument : arguments) {
            String[] pair = argument.split("=", 2);
            settings.put(pair[0], pair[1]);
        }
        Settings built = settings.build();
        LogConfigurator.configureWithoutConfig(built);
        Environment environment =
                InternalSettingsPreparer.prepareEnvironment(built, Map.of(), home.resolve("config"), () -> "n1");
        Node node = node(environment, home);
        Runtime.getRuntime().addShutdownHook(new Thread(() -> {
            try {
                node.close();
            } catch (Exception error) {
                error.printStackTrace();
            }
        }));
        node.start();
        new CountDownLatch(1).await();
    }

    /** Until 8.17 a node finds its modules by itself; later versions want them loaded, by a class 8.17 does not have. */
    private static Node node(Environment environment, Path home) throws Exception {
        Constructor<?> constructor = Node.class.getConstructors()[0];
        if (constructor.getParameterCount() == 1) {
            return (Node) constructor.newInstance(environment);
        }
        Class<?> loader = Class.forName("org.elasticsearch.plugins.PluginsLoader");
        Object modules = loader.getMethod("loadModulesBundles", Path.class).invoke(null, home.resolve("modules"));
        Object plugins = loader.getMethod("createPluginsLoader", Set.class, Set.class, Map.class)
                .invoke(null, modules, Set.of(), Map.of());
        return (Node) constructor.newInstance(environment, plugins);
    }
}
