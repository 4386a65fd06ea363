"""The starter catalogue: what its images hold, and that its servers and clients speak."""

import pytest
from engine_client import Client

SQL = (
    "CREATE TABLE t (id SERIAL PRIMARY KEY, name TEXT NOT NULL);"
    " INSERT INTO t (name) VALUES ('ana'), ('luis'); SELECT * FROM t"
)


@pytest.fixture(scope="module")
def stocked() -> Client:
    client = Client()
    for name in ("alpine", "httpd", "mysql", "nginx", "node", "postgres", "python", "redis"):
        client.pull(name)
    return client


def start(engine: Client, image: str, *cmd: str, env: tuple[str, ...] = (), **host: object) -> str:
    body = {"Image": image, "Env": list(env), "HostConfig": host}
    if cmd:
        body["Cmd"] = list(cmd)
    made = engine.post("/containers/create", body).json()["Id"]
    answer = engine.post(f"/containers/{made}/start")
    assert answer.status == 204, answer.body
    return made


def said(engine: Client, image: str, *cmd: str, env: tuple[str, ...] = ()) -> tuple[int, str]:
    made = start(engine, image, *cmd, env=env)
    return engine.wait(made), engine.logs(made).decode()


def published(port: str, outside: str) -> dict[str, object]:
    return {"PortBindings": {f"{port}/tcp": [{"HostPort": outside}]}}


def test_images_of_one_distribution_share_its_layer(stocked: Client) -> None:
    layers = {
        name: stocked.get(f"/images/{name}/json").json()["RootFS"]["Layers"]
        for name in ("nginx", "redis", "postgres", "httpd", "mysql")
    }
    assert len({one[0] for one in layers.values()}) == 1
    told = stocked.get("/images/postgres/json").json()
    assert told["Config"]["Labels"]["vitrina.simulated"] == "true"
    assert told["Size"] > 400_000_000
    held = stocked.get("/system/df").json()["LayersSize"]
    assert held < sum(one["Size"] for one in stocked.get("/images/json").json())


def test_hello_world(stocked: Client) -> None:
    stocked.pull("hello-world")
    assert "Hello from Docker" in said(stocked, "hello-world")[1]


@pytest.mark.parametrize(("image", "name"), [("alpine", "alpine"), ("python", "debian")])
def test_each_distribution_says_which_it_is(stocked: Client, image: str, name: str) -> None:
    assert f'ID="{name}"' in said(stocked, image, "cat", "/etc/os-release")[1]


def test_nginx_serves_its_document_root_through_a_published_port(stocked: Client) -> None:
    stocked.post("/volumes/create", {"Name": "pages"})
    made = start(stocked, "nginx", Binds=["pages:/usr/share/nginx/html"], **published("80", "8080"))
    stocked.execute(made, "sh", "-c", "echo mine > /usr/share/nginx/html/index.html")
    other = start(stocked, "alpine", "wget", "-qO-", "http://127.0.0.1:8080/", NetworkMode="host")
    assert stocked.wait(other) == 0
    assert stocked.logs(other) == b"mine\n"
    log = stocked.logs(made).decode()
    assert '"GET / HTTP/1.1" 200 5 "-" "Wget" "-"' in log
    other = start(stocked, "alpine", "wget", "-qO-", "http://127.0.0.1:8080/no", NetworkMode="host")
    assert stocked.wait(other) == 1
    assert '"GET /no HTTP/1.1" 404' in stocked.logs(made).decode()
    assert stocked.post(f"/containers/{made}/stop", t=5).status == 204
    assert stocked.get(f"/containers/{made}/json").json()["State"]["ExitCode"] == 0


def test_nginx_reads_its_configuration(stocked: Client) -> None:
    made = start(stocked, "nginx")
    site = "server { listen 81; location = /say { return 200 said; } location / { return 404; } }"
    script = f"echo '{site}' > /etc/nginx/conf.d/default.conf; nginx -t"
    assert b"test is successful" in stocked.execute(made, "sh", "-c", script)
    stocked.post(f"/containers/{made}/restart", t=5)
    assert stocked.execute(made, "curl", "-s", "localhost:81/say") == b"said"
    stocked.execute(made, "sh", "-c", "echo 'server {' > /etc/nginx/conf.d/default.conf")
    told = stocked.execute(made, "nginx", "-t")
    assert b"[emerg] unexpected end of file" in told


def test_httpd_and_python_serve_files(stocked: Client) -> None:
    made = start(stocked, "httpd")
    address = stocked.get(f"/containers/{made}/json").json()["NetworkSettings"]["IPAddress"]
    assert "It works!" in said(stocked, "alpine", "wget", "-qO-", f"http://{address}/")[1]
    made = start(stocked, "python", "python", "-m", "http.server", "9000", "-d", "/etc")
    address = stocked.get(f"/containers/{made}/json").json()["NetworkSettings"]["IPAddress"]
    url = f"http://{address}:9000/debian_version"
    assert said(stocked, "alpine", "wget", "-qO-", url)[1] == "12.8\n"


def test_redis_keeps_what_was_set(stocked: Client) -> None:
    made = start(stocked, "redis")

    def cli(*words: str) -> str:
        return stocked.execute(made, "redis-cli", "--no-raw", *words).decode().rstrip()

    assert cli("PING") == "PONG"
    assert cli("SET", "a", "two words") == "OK"
    assert cli("GET", "a") == '"two words"'
    assert [cli("INCR", "n"), cli("INCR", "n")] == ["(integer) 1", "(integer) 2"]
    assert cli("KEYS", "*") == '1) "a"\n2) "n"'
    assert cli("INCR", "a") == "(error) ERR value is not an integer or out of range"
    assert cli("DEL", "a", "none") == "(integer) 1"
    assert cli("GET", "a") == "(nil)"
    assert cli("LPUSH", "n", "x").startswith("(error) WRONGTYPE")
    assert cli("NOPE").startswith("(error) ERR unknown command 'NOPE'")
    stocked.post(f"/containers/{made}/restart", t=5)
    assert cli("GET", "n") == '"2"'
    plain = stocked.execute(made, "redis-cli", "GET", "n")
    assert plain == b"2\n", "without a terminal replies are not dressed"
    assert b"* Ready to accept connections tcp" in stocked.logs(made)


def test_postgres_wants_a_password_and_answers_queries(stocked: Client) -> None:
    code, text = said(stocked, "postgres")
    assert code == 1
    assert "superuser password is not specified" in text
    made = start(stocked, "postgres", env=("POSTGRES_PASSWORD=secret", "POSTGRES_DB=shop"))

    def psql(*words: str) -> str:
        return stocked.execute(made, "psql", "-U", "postgres", "-d", "shop", *words).decode()

    assert b"accepting connections" in stocked.execute(made, "pg_isready")
    assert "CREATE TABLE\nINSERT 0 2\n id | name \n" in psql("-c", SQL)
    assert psql("-c", "SELECT * FROM none") == 'ERROR:  relation "none" does not exist\n'
    assert "t    | table | postgres" in psql("-c", "\\dt")
    stocked.post(f"/containers/{made}/restart", t=5)
    assert psql("-tAc", "SELECT count(*) FROM t") == "2\n"
    address = stocked.get(f"/containers/{made}/json").json()["NetworkSettings"]["IPAddress"]
    words = ("psql", "-h", address, "-U", "postgres", "-c", "SELECT 1 AS one")
    assert "fe_sendauth" in said(stocked, "postgres", *words)[1]
    assert "one" in said(stocked, "postgres", *words, env=("PGPASSWORD=secret",))[1]
    code, text = said(stocked, "postgres", *words, env=("PGPASSWORD=wrong",))
    assert code == 2
    assert 'password authentication failed for user "postgres"' in text


@pytest.mark.parametrize(
    "statement",
    [
        "ATTACH DATABASE '/etc/passwd' AS x",
        "SELECT load_extension('x')",
        "SELECT datetime('now')",
        "SELECT random()",
        "VACUUM INTO '/tmp/vitrina-leak'",
        "PRAGMA temp_store_directory = '/tmp'",
        "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT max(x) FROM c",
    ],
)
def test_a_statement_reaches_nothing_of_this_machine(statement: str) -> None:
    from simulator.machine.userland.servers.database import Database, DatabaseError

    with pytest.raises(DatabaseError, match=r"not authorized|denied|interrupted"):
        Database().run(statement)


def test_mysql_in_little(stocked: Client) -> None:
    code, text = said(stocked, "mysql")
    assert code == 1
    assert "MYSQL_ROOT_PASSWORD" in text
    env = ("MYSQL_ROOT_PASSWORD=secret", "MYSQL_DATABASE=shop")
    made = start(stocked, "mysql", env=env)

    warning = "[Warning] Using a password on the command line interface can be insecure."

    def mysql(text: str) -> str:
        words = ("mysql", "-uroot", "-psecret", "shop", "-e", text)
        said = stocked.execute(made, *words).decode()
        return said.removeprefix(f"mysql: {warning}\n")

    assert b"mysqld is alive" in stocked.execute(made, "mysqladmin", "ping")
    told = mysql(SQL.replace("SERIAL", "INT AUTO_INCREMENT").replace("TEXT", "VARCHAR(9)"))
    assert told == "id\tname\n1\tana\n2\tluis\n"
    assert mysql("SELECT * FROM none").startswith("ERROR 1146 (42S02)")
    wrong = stocked.execute(made, "mysql", "-uroot", "-pwrong", "-e", "x").decode()
    assert "\nERROR 1045 (28000): Access denied for user 'root'@" in wrong


def test_no_language_is_evaluated(stocked: Client) -> None:
    assert said(stocked, "python", "python", "--version")[1] == "Python 3.12.8\n"
    assert said(stocked, "node", "node", "--version")[1] == "v22.12.0\n"
    for image, words in (("python", ("python", "-c", "print(1)")), ("node", ("node", "-e", "1"))):
        code, text = said(stocked, image, *words)
        assert code == 1
        assert "not simulated" in text


def test_packages_are_noted_and_bring_programs(stocked: Client) -> None:
    made = start(stocked, "alpine", "sleep", "1000")
    assert b"(1/1) Installing curl" in stocked.execute(made, "apk", "add", "--no-cache", "curl")
    assert stocked.execute(made, "sh", "-c", "command -v curl") == b"/usr/bin/curl\n"
    assert b"no such package" in stocked.execute(made, "apk", "add", "nosuch")
    made = start(stocked, "python", "sleep", "1000")
    assert b"Unable to locate" in stocked.execute(made, "apt-get", "install", "-y", "jq")
    stocked.execute(made, "apt-get", "update")
    assert b"Setting up jq" in stocked.execute(made, "apt-get", "install", "-y", "jq")
    told = stocked.execute(made, "sh", "-c", "echo flask==3.0 > /r; pip install -r /r; pip freeze")
    assert told.endswith(b"Successfully installed flask-3.0\nflask==3.0\n")
