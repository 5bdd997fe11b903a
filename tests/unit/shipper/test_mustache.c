/* SPDX-License-Identifier: MIT */
#include "shipper/mustache.h"

#include "test.h"

static const char *const index_items[] = {"plossys-log"};
static const char *const empty_items[] = {""};
static const char *const level_items[] = {"warn"};
static const char *const three[] = {"1", "2", "3"};
static const char *const two[] = {"a", "b"};
static const char *const bad_items[] = {"ab\"c"};
static const char *const bad_list[] = {"ok", "not ok"};

static struct mustache_value values[] = {
    {"INDEX", MUSTACHE_TEXT, index_items, 1, false},
    {"EMPTY", MUSTACHE_TEXT, empty_items, 1, false},
    {"LEVEL", MUSTACHE_WORD, level_items, 1, false},
    {"LIST", MUSTACHE_LIST, three, 3, false},
    {"PAIR", MUSTACHE_LIST, two, 2, false},
    {"NONE", MUSTACHE_LIST, NULL, 0, false},
    {"BAD", MUSTACHE_TEXT, bad_items, 1, false},
    {"BADS", MUSTACHE_LIST, bad_list, 2, false},
};

struct row {
    const char *name;
    const char *template;
    const char *expected;
};

static void check_row(const struct row *row)
{
    struct buffer out = BUFFER_INIT(4096);
    struct error err = {0};
    int rc = mustache_render(&(struct mustache_template){row->template, strlen(row->template), "t",
                                                         MUSTACHE_RAINERSCRIPT, true},
                             values, COUNT(values), &out, &err);
    if (rc != 0 || strcmp(buffer_text(&out), row->expected) != 0)
        print_error("row \"%s\": %d %s\n", row->name, rc, err.text);
    assert_int_equal(rc, 0);
    assert_string_equal(buffer_text(&out), row->expected);
    buffer_release(&out);
}

static const struct row rendered[] = {
    {"empty", "", ""},
    {"no tag", "Hello {world} } }}\n", "Hello {world} } }}\n"},
    {"text", "index=\"{{INDEX}}\"", "index=\"plossys-log\""},
    {"empty text", "[{{EMPTY}}]", "[]"},
    {"blanks in the tag", "|{{ INDEX\t}}|", "|plossys-log|"},
    {"line break in the tag", "|{{\nINDEX\n}}|", "|plossys-log|"},
    {"blanks around stay", "| {{INDEX}} |", "| plossys-log |"},
    {"a variable never takes its line", "  {{INDEX}}\n", "  plossys-log\n"},
    {"word between quotes", "\"{{LEVEL}}\"", "\"warn\""},
    {"word without quotes", "l={{{LEVEL}}}", "l=warn"},
    {"third brace is text", "{{INDEX}}}", "plossys-log}"},
    {"braces around", "{ {{INDEX}} }", "{ plossys-log }"},

    {"comment inline", "12345{{! nothing }}67890", "1234567890"},
    {"comment with blanks around", "12345 {{! x }} 67890", "12345  67890"},
    {"comment alone", "Begin.\n{{! x }}\nEnd.\n", "Begin.\nEnd.\n"},
    {"comment alone, indented", "Begin.\n  {{! x }}  \nEnd.\n", "Begin.\nEnd.\n"},
    {"comment alone, CRLF", "|\r\n{{! x }}\r\n|", "|\r\n|"},
    {"comment alone, first line", "  {{! x }}\n!", "!"},
    {"comment alone, last line", "!\n  {{! x }}", "!\n"},
    {"comment of lines inline", "1{{!\n a\n b\n}}2\n", "12\n"},
    {"comment of lines alone", "B\n  {{!\n  a\n  }}\nE\n", "B\nE\n"},
    {"comment behind text", "  12 {{! 34 }}\n", "  12 \n"},
    {"comment holds anything", "{{! # ^ INDX > }}.", "."},

    {"true section", "\"{{#INDEX}}yes{{/INDEX}}\"", "\"yes\""},
    {"false section", "\"{{#EMPTY}}no{{/EMPTY}}\"", "\"\""},
    {"item of a text", "{{#INDEX}}<{{.}}>{{/INDEX}}", "<plossys-log>"},
    {"list", "{{#LIST}}({{.}}){{/LIST}}", "(1)(2)(3)"},
    {"empty list", "[{{#NONE}}{{.}}{{/NONE}}]", "[]"},
    {"nested lists", "{{#PAIR}}{{.}}{{#LIST}}{{.}}{{/LIST}};{{/PAIR}}", "a123;b123;"},
    {"item behind an inner list", "{{#PAIR}}{{#LIST}}{{/LIST}}{{.}}{{/PAIR}}", "ab"},
    {"names stay visible", "{{#PAIR}}{{.}}={{INDEX}} {{/PAIR}}", "a=plossys-log b=plossys-log "},
    {"same section twice", "{{#LEVEL}}1{{/LEVEL}}2{{#LEVEL}}3{{/LEVEL}}", "123"},
    {"same section nested", "|A{{#LEVEL}} B{{#LEVEL}} C{{/LEVEL}} D{{/LEVEL}} E|", "|A B C D E|"},
    {"nested in a false one", "|A{{#NONE}} B{{#LEVEL}} C{{/LEVEL}} D{{/NONE}} E|", "|A E|"},
    {"blanks in section tags", "|{{# LEVEL }}={{/ LEVEL }}|", "|=|"},
    {"blanks around sections", " | {{#LEVEL}}\t|\t{{/LEVEL}} | \n", " | \t|\t | \n"},
    {"blanks inside sections", " | {{#LEVEL}} {{! x }}\n {{/LEVEL}} | \n", " |  \n  | \n"},
    {"two indented on a line each", " {{#LEVEL}}Y{{/LEVEL}}\n {{#LEVEL}}G{{/LEVEL}}\n", " Y\n G\n"},
    {"section tags alone", "| This\n{{#LEVEL}}\n|\n{{/LEVEL}}\n| line\n", "| This\n|\n| line\n"},
    {"section tags alone, indented", "| This\n  {{#LEVEL}}\n|\n\t{{/LEVEL}} \n| line\n",
     "| This\n|\n| line\n"},
    {"section tag alone, CRLF", "|\r\n{{#LEVEL}}\r\n{{/LEVEL}}\r\n|", "|\r\n|"},
    {"section tag alone, first line", "  {{#LEVEL}}\n#{{/LEVEL}}\n/", "#\n/"},
    {"section tag alone, last line", "#{{#LEVEL}}\n/\n  {{/LEVEL}}", "#\n/\n"},
    {"list of lines", "{{#LIST}}\n- \"{{.}}\"\n{{/LIST}}\nend\n",
     "- \"1\"\n- \"2\"\n- \"3\"\nend\n"},
    {"two tags on a line are not alone", "{{#LEVEL}}{{/LEVEL}}\n", "\n"},

    {"inverted true", "\"{{^NONE}}yes{{/NONE}}\"", "\"yes\""},
    {"inverted false", "\"{{^LIST}}no{{/LIST}}\"", "\"\""},
    {"inverted empty text", "{{^EMPTY}}yes{{/EMPTY}}", "yes"},
    {"inverted text", "{{^INDEX}}no{{/INDEX}}", ""},
    {"inverted in a list", "{{#PAIR}}{{^NONE}}{{.}}{{/NONE}}{{/PAIR}}", "ab"},
    {"inverted nested in a false one", "|A{{^LIST}}B{{^NONE}}C{{/NONE}}{{/LIST}}|", "|A|"},
    {"inverted tags alone", "| This\n{{^NONE}}\n|\n{{/NONE}}\n| line\n", "| This\n|\n| line\n"},
    {"bad value not rendered", "{{^LIST}}{{BAD}}{{/LIST}}ok", "ok"},
};

static void renders(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rendered); i++)
        check_row(&rendered[i]);
}

static void refuses(void **state)
{
    (void)state;
    static const struct {
        const char *template;
        int rc;
        const char *text;
    } rows[] = {
        {"{{INDX}}", -EINVAL, "t:1: unknown name INDX"},
        {"\n\n {{INDX}}", -EINVAL, "t:3: unknown name INDX"},
        {"{{#NONE}}\n{{INDX}}{{/NONE}}", -EINVAL, "t:2: unknown name INDX"},
        {"{{#INDX}}{{/INDX}}", -EINVAL, "t:1: unknown name INDX"},
        {"{{^INDX}}{{/INDX}}", -EINVAL, "t:1: unknown name INDX"},
        {"{{index}}", -EINVAL, "t:1: unknown name index"},
        {"{{INDEX.x}}", -EINVAL, "t:1: not a name: INDEX.x"},
        {"{{}}", -EINVAL, "t:1: not a name: "},
        {"{{IN DEX}}", -EINVAL, "t:1: not a name: IN DEX"},
        {"{{LIST}}", -EINVAL, "t:1: a list needs a section: LIST"},
        {"{{{LIST}}}", -EINVAL, "t:1: a list needs a section: LIST"},
        {"{{{INDEX}}}", -EINVAL, "t:1: {{{ }}} is only for numbers and enumerations: INDEX"},
        {"{{#LIST}}{{{.}}}{{/LIST}}", -EINVAL,
         "t:1: {{{ }}} is only for numbers and enumerations: ."},
        {"{{.}}", -EINVAL, "t:1: no section around ."},
        {"{{^NONE}}{{.}}{{/NONE}}", -EINVAL, "t:1: no section around ."},
        {"{{#.}}{{/.}}", -EINVAL, "t:1: unknown name ."},
        {"a\n{{#LIST}}\n", -EINVAL, "t:2: section is not closed: LIST"},
        {"a\n{{#LIST}}\n{{#PAIR}}\n{{/LIST}}", -EINVAL, "t:3: section is not closed: PAIR"},
        {"{{/LIST}}", -EINVAL, "t:1: no section is open: LIST"},
        {"{{INDEX", -EINVAL, "t:1: tag is not closed"},
        {"{{INDEX}", -EINVAL, "t:1: tag is not closed"},
        {"{{{LEVEL}}", -EINVAL, "t:1: tag is not closed"},
        {"{{", -EINVAL, "t:1: tag is not closed"},
        {"\n{{! never", -EINVAL, "t:2: tag is not closed"},
        {"\n{{>part}}", -EINVAL, "t:2: {{> (partial) is not supported"},
        {"{{=<% %>=}}", -EINVAL, "t:1: {{= (set delimiters) is not supported"},
        {"{{&INDEX}}", -EINVAL,
         "t:1: {{& (unescaped; numbers and enumerations: {{{X}}}) is not supported"},
        {"{{<parent}}", -EINVAL, "t:1: {{< (block or dynamic name) is not supported"},
        {"{{$block}}", -EINVAL, "t:1: {{$ (block or dynamic name) is not supported"},
        {"x\n{{BAD}}", -EILSEQ, "t:2: forbidden byte in the value of BAD"},
        {"{{#BADS}}{{.}}{{/BADS}}", -EILSEQ, "t:1: forbidden byte in the value of ."},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct buffer out = BUFFER_INIT(4096);
        struct error err = {0};
        int rc = mustache_render(&(struct mustache_template){rows[i].template,
                                                             strlen(rows[i].template), "t",
                                                             MUSTACHE_RAINERSCRIPT, true},
                                 values, COUNT(values), &out, &err);
        assert_string_equal(err.text, rows[i].text);
        assert_int_equal(rc, rows[i].rc);
        buffer_release(&out);
    }
}

/* ---- secrets ------------------------------------------------------------- */

static const char *const password_items[] = {"p\"w\\o$r{d}"};
static const char *const plain_items[] = {"secret"};
static const char *const stored_items[] = {"ES_PWD"};

/* Render a template with the names PASSWORD, PLAIN, NO_PASSWORD and STORED. */
static int render_secret(const char *template, enum mustache_language language, bool private,
                         struct buffer *out, struct error *err)
{
    struct mustache_value secrets[] = {
        {"PASSWORD", MUSTACHE_SECRET, password_items, 1, false},
        {"PLAIN", MUSTACHE_SECRET, plain_items, 1, false},
        {"NO_PASSWORD", MUSTACHE_SECRET, empty_items, 1, false},
        {"STORED", MUSTACHE_STORED, stored_items, 1, false},
        {"NOT_STORED", MUSTACHE_STORED, empty_items, 1, false},
        {"NONE", MUSTACHE_LIST, NULL, 0, false},
    };
    return mustache_render(
        &(struct mustache_template){template, strlen(template), "t", language, private}, secrets,
        COUNT(secrets), out, err);
}

static void secrets_are_escaped(void **state)
{
    (void)state;
    static const struct {
        enum mustache_language language;
        const char *template, *expected;
    } rows[] = {
        {MUSTACHE_RAINERSCRIPT, "action(pwd=\"{{PASSWORD}}\")", "action(pwd=\"p\\\"w\\\\o$r{d}\")"},
        {MUSTACHE_RAINERSCRIPT, "action(type=\"x\"\n  a.b=\"{{PLAIN}}\" c=\"\")",
         "action(type=\"x\"\n  a.b=\"secret\" c=\"\")"},
        {MUSTACHE_RAINERSCRIPT, "{{#PASSWORD}}action(pwd=\"{{.}}\"){{/PASSWORD}}",
         "action(pwd=\"p\\\"w\\\\o$r{d}\")"},
        {MUSTACHE_RAINERSCRIPT, "action(pwd=\"{{NO_PASSWORD}}\")", "action(pwd=\"\")"},
        {MUSTACHE_RAINERSCRIPT, "{{#NO_PASSWORD}}a(b=\"{{.}}\"){{/NO_PASSWORD}}", ""},
        {MUSTACHE_RAINERSCRIPT, "a(b=\"u\\tp={{PASSWORD}}\\tq\")",
         "a(b=\"u\\tp=p\\\"w\\\\o$r{d}\\tq\")"},
        {MUSTACHE_BEATS, "password: \"{{PASSWORD}}\"\n", "password: \"p\\\"w\\\\o$$r{d}\"\n"},
        {MUSTACHE_BEATS, "password: \"{{STORED}}\"\n", "password: \"${ES_PWD}\"\n"},
        {MUSTACHE_YAML, "password: \"{{PLAIN}}\"\n", "password: \"secret\"\n"},
        {MUSTACHE_TOML, "password = \"{{PLAIN}}\"\n", "password = \"secret\"\n"},
        {MUSTACHE_YAML, "{{#NONE}}password: \"{{PASSWORD}}\"\n{{/NONE}}", ""},
        {MUSTACHE_YAML, "password: \"{{NOT_STORED}}\"\n", "password: \"\"\n"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct buffer out = BUFFER_INIT(4096);
        struct error err = {0};
        int rc = render_secret(rows[i].template, rows[i].language, true, &out, &err);
        assert_string_equal(err.text, "");
        assert_int_equal(rc, 0);
        assert_string_equal(buffer_text(&out), rows[i].expected);
        buffer_release(&out);
    }
}

#define QUOTES    "t:1: a secret must be between double quotes: PLAIN"
#define PARAMETER "t:1: a secret must be in a parameter, name=\"...\", not of constant(): PLAIN"

/* Also where it is not rendered: the template is wrong, whatever the credential. */
static void secrets_stand_in_their_place_only(void **state)
{
    (void)state;
    static const struct {
        enum mustache_language language;
        const char *template, *text;
    } rows[] = {
        {MUSTACHE_YAML, "p: {{PLAIN}}", QUOTES},
        {MUSTACHE_YAML, "p: '{{PLAIN}}'", QUOTES},
        {MUSTACHE_YAML, "p: \"x{{PLAIN}}\"", QUOTES},
        {MUSTACHE_YAML, "p: \"{{PLAIN}}x\"", QUOTES},
        {MUSTACHE_YAML, "\"{{PLAIN}}", QUOTES},
        {MUSTACHE_YAML, "{{PLAIN}}\"", QUOTES},
        {MUSTACHE_YAML, "{{#NONE}}p: {{PLAIN}}{{/NONE}}", QUOTES},
        {MUSTACHE_YAML, "{{#PLAIN}}{{.}}{{/PLAIN}}",
         "t:1: a secret must be between double quotes: ."},
        {MUSTACHE_YAML, "\"{{{PLAIN}}}\"",
         "t:1: {{{ }}} is only for numbers and enumerations: PLAIN"},
        {MUSTACHE_RAINERSCRIPT, "\"{{PLAIN}}\"", PARAMETER},
        {MUSTACHE_RAINERSCRIPT, "=\"{{PLAIN}}\"", PARAMETER},
        {MUSTACHE_RAINERSCRIPT, "p=\"{{PLAIN}}\"", PARAMETER},
        {MUSTACHE_RAINERSCRIPT, "# p=\"{{PLAIN}}\"", PARAMETER},
        {MUSTACHE_RAINERSCRIPT, "a(b=\"c\") p=\"{{PLAIN}}\"", PARAMETER},
        {MUSTACHE_RAINERSCRIPT, "a(\"{{PLAIN}}\")", PARAMETER},
        {MUSTACHE_RAINERSCRIPT, "a(b, \"{{PLAIN}}\")", PARAMETER},
        {MUSTACHE_RAINERSCRIPT, "a(=\"{{PLAIN}}\")", PARAMETER},
        {MUSTACHE_RAINERSCRIPT, "set $.x=\"{{PLAIN}}\";", PARAMETER},
        {MUSTACHE_RAINERSCRIPT, "if ($.x==\"{{PLAIN}}\")", PARAMETER},
        {MUSTACHE_RAINERSCRIPT, "if ($x=\"{{PLAIN}}\")", PARAMETER},
        {MUSTACHE_RAINERSCRIPT, "a(b={{PLAIN}})", PARAMETER},
        {MUSTACHE_RAINERSCRIPT, "a(b=\"c\"{{PLAIN}})", PARAMETER},
        {MUSTACHE_RAINERSCRIPT, "a(b=\"\"{{PLAIN}})", PARAMETER},
        {MUSTACHE_RAINERSCRIPT, "a(b=\"c\\\"{{PLAIN}}\")", PARAMETER},
        {MUSTACHE_RAINERSCRIPT, "a(b='c=\"{{PLAIN}}')", PARAMETER},
        {MUSTACHE_RAINERSCRIPT, "constant(value=\"{{PLAIN}}\")", PARAMETER},
        {MUSTACHE_RAINERSCRIPT, "Constant (outname=\"a\" value=\"{{PLAIN}}\")", PARAMETER},
        {MUSTACHE_RAINERSCRIPT, "{{#NONE}}constant(value=\"{{PLAIN}}\"){{/NONE}}", PARAMETER},
        {MUSTACHE_YAML, "p: \"{{STORED}}\"", "t:1: only Beats have a keystore: STORED"},
        {MUSTACHE_RAINERSCRIPT, "a(p=\"{{STORED}}\")", "t:1: only Beats have a keystore: STORED"},
        {MUSTACHE_BEATS, "p: {{STORED}}", "t:1: a secret must be between double quotes: STORED"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct buffer out = BUFFER_INIT(4096);
        struct error err = {0};
        int rc = render_secret(rows[i].template, rows[i].language, true, &out, &err);
        assert_string_equal(err.text, rows[i].text);
        assert_int_equal(rc, -EINVAL);
        buffer_release(&out);
    }
}

static void secrets_need_a_private_file(void **state)
{
    (void)state;
    static const char *const templates[] = {"p: \"{{PLAIN}}\"", "p: \"{{NO_PASSWORD}}\"",
                                            "{{#NONE}}p: \"{{PLAIN}}\"{{/NONE}}",
                                            "p: \"{{STORED}}\""};
    for (size_t i = 0; i < COUNT(templates); i++) {
        struct buffer out = BUFFER_INIT(4096);
        struct error err = {0};
        int rc = render_secret(templates[i], MUSTACHE_BEATS, false, &out, &err);
        assert_int_equal(rc, -EINVAL);
        assert_non_null(
            strstr(err.text, "t:1: nobody else may read a file with secrets (\"mode\")"));
        buffer_release(&out);
    }
}

/* Every byte in every language: taken, written twice, or refused without being shown. */
static void every_byte_of_a_secret_is_judged(void **state)
{
    (void)state;
    static const char *const refused[] = {[MUSTACHE_RAINERSCRIPT] = "",
                                          [MUSTACHE_YAML] = "$",
                                          [MUSTACHE_TOML] = "$",
                                          [MUSTACHE_BEATS] = ""};
    for (int language = 0; language < (int)COUNT(refused); language++) {
        for (int byte = 1; byte < 256; byte++) {
            const char secret[] = {'a', (char)byte, 'b', '\0'};
            const char *items[] = {secret};
            struct mustache_value value = {"S", MUSTACHE_SECRET, items, 1, false};
            struct buffer out = BUFFER_INIT(100);
            struct error err = {0};
            int rc = mustache_render(&(struct mustache_template){"a(p=\"{{S}}\")", 12, "t",
                                                                 (enum mustache_language)language,
                                                                 true},
                                     &value, 1, &out, &err);
            bool good = byte >= ' ' && byte <= '~' && !strchr(refused[language], byte);
            assert_int_equal(rc, good ? 0 : -EILSEQ);
            if (!good)
                assert_memory_equal(err.text, "t:1: forbidden byte (", 21);
            buffer_release(&out);
        }
    }
}

static void what_is_written_is_marked(void **state)
{
    (void)state;
    static const char template[] = "a(p=\"{{A}}\"){{#B}}a(q=\"{{B}}\"){{/B}}"
                                   "{{^A}}a(q=\"{{C}}\"){{/A}}{{#D}}{{.}}{{/D}}";
    struct mustache_value marked[] = {
        {"A", MUSTACHE_SECRET, plain_items, 1, false},
        {"B", MUSTACHE_SECRET, empty_items, 1, false},
        {"C", MUSTACHE_SECRET, plain_items, 1, false},
        {"D", MUSTACHE_LIST, two, 2, false},
    };
    struct buffer out = BUFFER_INIT(100);
    assert_int_equal(mustache_render(&(struct mustache_template){template, strlen(template), "t",
                                                                 MUSTACHE_RAINERSCRIPT, true},
                                     marked, 4, &out, NULL),
                     0);
    assert_true(marked[0].used && marked[3].used);
    assert_false(marked[1].used || marked[2].used);
    buffer_release(&out);
}

static int render_text(const char *template, size_t limit)
{
    struct buffer out = BUFFER_INIT(limit);
    int rc = mustache_render(
        &(struct mustache_template){template, strlen(template), "t", MUSTACHE_RAINERSCRIPT, true},
        values, COUNT(values), &out, NULL);
    assert_true(out.len <= limit);
    buffer_release(&out);
    return rc;
}

static void nesting_has_a_limit(void **state)
{
    (void)state;
    char text[512];
    size_t n = 0;
    for (int depth = 0; depth < MUSTACHE_DEPTH; depth++)
        n += (size_t)snprintf(text + n, sizeof text - n, "{{#LEVEL}}");
    for (int depth = 0; depth < MUSTACHE_DEPTH; depth++)
        n += (size_t)snprintf(text + n, sizeof text - n, "{{/LEVEL}}");
    assert_int_equal(render_text(text, 10), 0);
    char deeper[600];
    (void)snprintf(deeper, sizeof deeper, "{{#LEVEL}}%s{{/LEVEL}}", text);
    assert_int_equal(render_text(deeper, 10), -EINVAL);
}

static void output_has_a_ceiling(void **state)
{
    (void)state;
    assert_int_equal(render_text("{{#LIST}}abc{{/LIST}}", 9), 0);
    assert_int_equal(render_text("{{#LIST}}abc{{/LIST}}", 8), -EMSGSIZE);
    assert_int_equal(render_text("{{INDEX}}", 8), -EMSGSIZE);
}

/* Not a string: no byte behind the length may be looked at. */
static void length_is_respected(void **state)
{
    (void)state;
    struct buffer out = BUFFER_INIT(64);
    assert_int_equal(mustache_render(&(struct mustache_template){"ab{{INDEX}}", 2, "t",
                                                                 MUSTACHE_RAINERSCRIPT, true},
                                     values, COUNT(values), &out, NULL),
                     0);
    assert_string_equal(out.data, "ab");
    buffer_release(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(renders),
        cmocka_unit_test(refuses),
        cmocka_unit_test(secrets_are_escaped),
        cmocka_unit_test(secrets_stand_in_their_place_only),
        cmocka_unit_test(secrets_need_a_private_file),
        cmocka_unit_test(every_byte_of_a_secret_is_judged),
        cmocka_unit_test(what_is_written_is_marked),
        cmocka_unit_test(nesting_has_a_limit),
        cmocka_unit_test(output_has_a_ceiling),
        cmocka_unit_test(length_is_respected),
    };
    return cmocka_run_group_tests_name("template", tests, NULL, NULL);
}
