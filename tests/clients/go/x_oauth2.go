// golang.org/x/oauth2: a public client and a confidential one.
package main

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"time"

	"golang.org/x/oauth2"
)

var server, browser = os.Args[1], os.Args[2]

// A client that is registered. Where its id goes is not set: the library finds out by trying.
func config(id, secret, redirectURI string) *oauth2.Config {
	endpoint := oauth2.Endpoint{AuthURL: server + "/authorize", TokenURL: server + "/token"}
	return &oauth2.Config{ClientID: id, ClientSecret: secret, RedirectURL: redirectURI, Endpoint: endpoint, Scopes: []string{"profile"}}
}

func spa() *oauth2.Config { return config("spa", "", "http://127.0.0.1:8765/callback") }
func web() *oauth2.Config { return config("web", "web-secret", "https://app.example/cb?tenant=7") }

// The token requests, as they leave the library.
type recorder struct{ requests []*http.Request }

func (r *recorder) RoundTrip(request *http.Request) (*http.Response, error) {
	r.requests = append(r.requests, request)
	return http.DefaultTransport.RoundTrip(request)
}

func recorded() (context.Context, *recorder) {
	r := &recorder{}
	return context.WithValue(context.Background(), oauth2.HTTPClient, &http.Client{Transport: r}), r
}

// The library has a verifier and a challenge of its own since 0.13; here they are parameters like others.
func verifier() string {
	bytes := make([]byte, 32)
	_, err := rand.Read(bytes)
	check(err)
	return base64.RawURLEncoding.EncodeToString(bytes)
}

func challenge(verifier string) []oauth2.AuthCodeOption {
	digest := sha256.Sum256([]byte(verifier))
	return []oauth2.AuthCodeOption{
		oauth2.SetAuthURLParam("code_challenge", base64.RawURLEncoding.EncodeToString(digest[:])),
		oauth2.SetAuthURLParam("code_challenge_method", "S256"),
	}
}

// The parameters of the callback, which nobody requests. State and issuer are for the application to check.
func signIn(config *oauth2.Config, options ...oauth2.AuthCodeOption) url.Values {
	command := exec.Command("python3", "-B", browser, "--print", config.AuthCodeURL("its-state", options...))
	command.Stderr = os.Stderr
	printed, err := command.Output()
	check(err)
	callback, err := url.Parse(strings.TrimSpace(string(printed)))
	check(err)
	parameters := callback.Query()
	assert(parameters.Get("state") == "its-state" && parameters.Get("iss") == server, "state or iss")
	return parameters
}

func redeem(ctx context.Context, config *oauth2.Config, code, verifier string) (*oauth2.Token, error) {
	if verifier == "" {
		return config.Exchange(ctx, code)
	}
	return config.Exchange(ctx, code, oauth2.SetAuthURLParam("code_verifier", verifier))
}

func assertIsRefused(err error, code string) {
	var refused *oauth2.RetrieveError
	assert(errors.As(err, &refused), "it was not refused: "+fmt.Sprint(err))
	var body struct{ Error string }
	check(json.Unmarshal(refused.Body, &body))
	assert(body.Error == code, body.Error)
}

func assertIsAlice(ctx context.Context, source oauth2.TokenSource, id string) {
	response, err := oauth2.NewClient(ctx, source).Get(server + "/me")
	check(err)
	defer response.Body.Close()
	var me struct {
		Sub      string
		ClientID string `json:"client_id"`
	}
	check(json.NewDecoder(response.Body).Decode(&me))
	assert(me.Sub == "alice" && me.ClientID == id, fmt.Sprint(me))
}

func whole(config *oauth2.Config) {
	ctx, _ := recorded()
	v := verifier()
	first, err := redeem(ctx, config, signIn(config, challenge(v)...).Get("code"), v)
	check(err)
	assert(first.Extra("scope") == "profile", "the scope")
	assertIsAlice(ctx, oauth2.StaticTokenSource(first), config.ClientID)
	expired := *first
	expired.Expiry = time.Now().Add(-time.Minute)
	source := config.TokenSource(ctx, &expired)
	assertIsAlice(ctx, source, config.ClientID)
	second, err := source.Token()
	check(err)
	assert(second.AccessToken != first.AccessToken && second.RefreshToken != first.RefreshToken, "it was not refreshed")
}

func main() {
	log.SetFlags(0)

	// Whoever has stolen the code has not the verifier. To find out where the client's id goes the library sends every
	// request that is refused a second time: first by Basic, a public client with an empty secret, then in the body.
	config := spa()
	v := verifier()
	code := signIn(config, challenge(v)...).Get("code")
	for _, wrong := range []string{"", verifier()} {
		ctx, recorder := recorded()
		_, err := redeem(ctx, config, code, wrong)
		assertIsRefused(err, "invalid_grant")
		assert(len(recorder.requests) == 2, fmt.Sprint(len(recorder.requests)))
		id, secret, ok := recorder.requests[0].BasicAuth()
		assert(ok && id == "spa" && secret == "", "no Basic")
		_, _, ok = recorder.requests[1].BasicAuth()
		assert(!ok, "Basic again")
	}
	// All four have changed nothing, and the first way serves the client.
	ctx, recorder := recorded()
	_, err := redeem(ctx, config, code, v)
	check(err)
	assert(len(recorder.requests) == 1, fmt.Sprint(len(recorder.requests)))
	assert(recorder.requests[0].Header.Get("content-type") == "application/x-www-form-urlencoded", "the content type")
	_, err = redeem(ctx, config, code, v)
	assertIsRefused(err, "invalid_grant")

	// Without a challenge the callback has an error. The library does not read it: that is the application's.
	assert(signIn(config).Get("error") == "invalid_request", "a code without a challenge")

	whole(spa())
	whole(web())
	fmt.Println("ok")
}

func check(err error) {
	if err != nil {
		log.Panic(err)
	}
}

func assert(ok bool, message string) {
	if !ok {
		log.Panic(message)
	}
}
