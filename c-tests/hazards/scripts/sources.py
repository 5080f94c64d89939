#: ten_megabytes generate output=10000000
import sys
sys.stdout.write(('x = 12345' + ' ' * 90 + '\n') * 100_000)

#: one_long_line generate output=10000006
import sys
sys.stdout.write("x = '" + 'y' * 10_000_000 + "'")

#: comment generate output=10000001
import sys
sys.stdout.write('#' + 'é' * 5_000_000)

#: parentheses generate expect=EXCEPTION
import sys
sys.stdout.write('(' * 10_000 + ')' * 10_000)

#: many_parentheses generate expect=EXCEPTION
import sys
sys.stdout.write('(' * 100_000 + ')' * 100_000)

#: operators generate expect=any
import sys
sys.stdout.write('x = ' + '+'.join(['1'] * 100_000))

#: minuses generate expect=EXCEPTION
import sys
sys.stdout.write('x = ' + '-' * 1_000_000 + '1')

#: statements_nested generate expect=EXCEPTION
import sys
sys.stdout.write(''.join(' ' * n + 'if 1:\n' for n in range(500)))

#: many_names generate
import sys
sys.stdout.write(''.join(f'name{n} = {n}\n' for n in range(100_000)))

#: unterminated generate expect=EXCEPTION type=SyntaxError
import sys
sys.stdout.write("x = '''" + 'y\n' * 1_000_000)

#: unicode_names
变量 = имя = اسم = ชื่อ = 'ok'
assert 变量 == 'ok'

#: odd_characters generate expect=EXCEPTION type=SyntaxError
import sys
sys.stdout.write('x = 1 \u200b\ufeff\u2028 \U0010ffff')

#: carriage_returns generate
import sys
sys.stdout.write('x = 1\ry = 2\r\nz = 3\r\r')

#: cookie generate
import sys
sys.stdout.write('# -*- coding: utf-7 -*-\nx = "+AGE-"\nassert x[0] == "+"\n')

#: huge_number generate expect=any
import sys
sys.stdout.write('x = ' + '9' * 100_000)

#: invalid_escapes generate
import sys
sys.stdout.write("x = '" + r'\d' * 1000 + "'")

#: empty
