// What eslint asks of this package: typescript-eslint's strict rules with types.
import { defineConfig, globalIgnores } from 'eslint/config';
import tseslint from 'typescript-eslint';

export default defineConfig(
  globalIgnores(['build/', 'cdk.out/', 'node_modules/', 'eslint.config.mjs']),
  tseslint.configs.strictTypeChecked,
  {
    languageOptions: { parserOptions: { project: './tsconfig.json' } },
    rules: {
      // A construct is made for what it adds to its scope.
      'no-new': 'off',
      // Numbers in messages say themselves what they are.
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
    },
  },
);
