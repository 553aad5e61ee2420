// Apache HttpClient: it knows nothing of OAuth, so the requests are the application's, as in many Java programs.

import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Pattern;
import org.apache.hc.client5.http.auth.AuthScope;
import org.apache.hc.client5.http.auth.UsernamePasswordCredentials;
import org.apache.hc.client5.http.classic.methods.HttpGet;
import org.apache.hc.client5.http.classic.methods.HttpPost;
import org.apache.hc.client5.http.entity.UrlEncodedFormEntity;
import org.apache.hc.client5.http.impl.auth.BasicCredentialsProvider;
import org.apache.hc.client5.http.impl.classic.CloseableHttpClient;
import org.apache.hc.client5.http.impl.classic.HttpClients;
import org.apache.hc.core5.http.ClassicHttpRequest;
import org.apache.hc.core5.http.HttpRequest;
import org.apache.hc.core5.http.NameValuePair;
import org.apache.hc.core5.http.io.entity.EntityUtils;
import org.apache.hc.core5.http.message.BasicNameValuePair;
import org.apache.hc.core5.net.URIBuilder;

class HttpClient5 {
    static String server, browser;

    /** The requests, as they leave the library. */
    static final List<HttpRequest> SENT = new ArrayList<>();

    record Client(String id, String redirectUri, CloseableHttpClient http) {}

    record Response(int status, String body) {
        String member(String name) {
            var found = Pattern.compile("\"" + name + "\"\\s*:\\s*\"([^\"]*)\"").matcher(body);
            check(found.find(), "no " + name + " in " + body);
            return found.group(1);
        }
    }

    public static void main(String[] arguments) throws Exception {
        server = arguments[0];
        browser = arguments[1];
        var spa = new Client("spa", "http://127.0.0.1:8765/callback", http(null));
        var web = new Client("web", "https://app.example/cb?tenant=7", http("web-secret"));

        // Whoever has stolen the code has not the verifier. Both attempts change nothing, and a code is served once.
        var verifier = verifier();
        var code = signIn(spa, verifier).get("code");
        rejects("invalid_grant", redeem(spa, code, null));
        rejects("invalid_grant", redeem(spa, code, verifier()));
        SENT.clear();
        check(redeem(spa, code, verifier).status() == 200, "the right verifier");
        rejects("invalid_grant", redeem(spa, code, verifier));

        // The form is labelled with the character set of HTTP/1.0, unless the application names another one.
        var type = SENT.get(0).getHeader("content-type").getValue();
        check(type.equals("application/x-www-form-urlencoded; charset=ISO-8859-1"), type);

        check(signIn(spa, null).get("error").equals("invalid_request"), "a code without a challenge");

        whole(spa);
        whole(web);
        System.out.println("ok");
    }

    static void whole(Client client) throws Exception {
        var verifier = verifier();
        var code = signIn(client, verifier).get("code");
        SENT.clear();
        var first = redeem(client, code, verifier);
        // A secret is not sent before the server asks for one: the same request, with the same code, comes twice.
        check(SENT.size() == (client.id().equals("web") ? 2 : 1), SENT.toString());
        check(first.status() == 200 && first.member("scope").equals("profile"), first.toString());
        var refresh = Map.of("grant_type", "refresh_token", "refresh_token", first.member("refresh_token"));
        var second = token(client, refresh);
        check(!second.member("access_token").equals(first.member("access_token")), "it was not refreshed");
        for (var tokens : List.of(first, second)) {
            var request = new HttpGet(server + "/me");
            request.setHeader("authorization", "Bearer " + tokens.member("access_token"));
            var me = send(client.http(), request);
            check(me.member("sub").equals("alice") && me.member("client_id").equals(client.id()), me.toString());
        }
    }

    /** The parameters of the callback, which nobody requests: with a challenge if there is a verifier to make it of. */
    static Map<String, String> signIn(Client client, String verifier) throws Exception {
        var url = new URIBuilder(server + "/authorize");
        url.addParameter("response_type", "code").addParameter("client_id", client.id());
        url.addParameter("redirect_uri", client.redirectUri()).addParameter("scope", "profile").addParameter("state", "its-state");
        if (verifier != null) {
            var digest = MessageDigest.getInstance("SHA-256").digest(verifier.getBytes(StandardCharsets.US_ASCII));
            url.addParameter("code_challenge", base64url(digest)).addParameter("code_challenge_method", "S256");
        }
        var process = new ProcessBuilder("python3", "-B", browser, "--print", url.build().toString());
        var printed = process.redirectError(ProcessBuilder.Redirect.INHERIT).start().inputReader().readLine();
        check(printed != null, "no callback");
        var callback = new TreeMap<String, String>();
        for (NameValuePair parameter : new URIBuilder(URI.create(printed)).getQueryParams()) {
            callback.put(parameter.getName(), parameter.getValue());
        }
        check(callback.get("state").equals("its-state") && callback.get("iss").equals(server), callback.toString());
        return callback;
    }

    static Response redeem(Client client, String code, String verifier) throws IOException {
        var form = new TreeMap<>(Map.of("grant_type", "authorization_code", "code", code, "redirect_uri", client.redirectUri()));
        if (verifier != null) form.put("code_verifier", verifier);
        return token(client, form);
    }

    static Response token(Client client, Map<String, String> form) throws IOException {
        var fields = new ArrayList<NameValuePair>();
        form.forEach((name, value) -> fields.add(new BasicNameValuePair(name, value)));
        if (client.id().equals("spa")) fields.add(new BasicNameValuePair("client_id", "spa"));
        var request = new HttpPost(server + "/token");
        request.setEntity(new UrlEncodedFormEntity(fields));
        return send(client.http(), request);
    }

    static Response send(CloseableHttpClient http, ClassicHttpRequest request) throws IOException {
        return http.execute(request, response -> new Response(response.getCode(), EntityUtils.toString(response.getEntity())));
    }

    /** With credentials for the server, if there is a secret. */
    static CloseableHttpClient http(String secret) {
        var builder = HttpClients.custom().disableRedirectHandling();
        builder.addRequestInterceptorLast((request, entity, context) -> SENT.add(request));
        if (secret != null) {
            var credentials = new BasicCredentialsProvider();
            var at = URI.create(server);
            credentials.setCredentials(
                    new AuthScope(at.getHost(), at.getPort()), new UsernamePasswordCredentials("web", secret.toCharArray()));
            builder.setDefaultCredentialsProvider(credentials);
        }
        return builder.build();
    }

    static String verifier() {
        var bytes = new byte[32];
        new SecureRandom().nextBytes(bytes);
        return base64url(bytes);
    }

    static String base64url(byte[] bytes) {
        return Base64.getUrlEncoder().withoutPadding().encodeToString(bytes);
    }

    static void rejects(String error, Response response) {
        check(response.status() == 400 && response.member("error").equals(error), response.toString());
    }

    static void check(boolean ok, String otherwise) {
        if (!ok) throw new AssertionError(otherwise);
    }
}
