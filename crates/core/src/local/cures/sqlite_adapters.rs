//! Defect: `sqlite3` has one table of adapters and one of converters for the process. What an interpreter registers, as
//! importing `sqlite3` does, stays there when it has ended: 240 KiB each time, and functions whose modules are gone.
//!
//! Has it: 3.10.
//!
//! Cure: at an interpreter's end its entries go. Where another interpreter has registered the same before, that one's come
//! back. (Among those that live the last one's hold for all, as before.)

use super::stdlib_functions::Functions;

pub(super) static FUNCTIONS: Functions = Functions::in_python(
    &[c"_sqlite3"],
    c"
def replacers(call, put, at_end):
    # No adapter's key: it has what the interpreters that live have registered, the first one's first.
    ALL = ()

    def replace_sqlite3(module):
        adapters, converters = module.adapters, module.converters
        adapt, convert, protocol = module.register_adapter, module.register_converter, module.PrepareProtocol
        own = {}, {}

        def register_adapter(type, caster, /):
            adapt(type, caster)
            own[0][type, protocol] = caster

        def register_converter(typename, converter, /):
            convert(typename, converter)
            own[1][typename.upper()] = converter

        def take_back():
            interpreters = adapters[ALL]
            interpreters.remove(own)
            for i, table in enumerate((adapters, converters)):
                for key, value in own[i].items():
                    if table.get(key) is value:
                        del table[key]
                        for registered in interpreters:
                            if key in registered[i]:
                                table[key] = registered[i][key]

        put(module, register_adapter, register_converter)
        adapters.setdefault(ALL, []).append(own)
        at_end(take_back)

    return {'_sqlite3': replace_sqlite3}
",
);
